#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# The programs of example/ that serve or call a server, with real counterparts:
#
#   examples_check.py SERVER CHAT COROUTINE_ECHO MIGRATION_BEFORE MIGRATION_AFTER TLS_CLIENT
#
# Each check starts a program of its own, which must end with status 0, after SIGTERM if it serves. Waiting is for
# something that can be observed, with a deadline, but where a time is what is checked.

import fcntl
import os
import re
import resource
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

DEADLINE = 60.0
LARGE = 8 * 1000 * 1000


class Failed(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


def poll(condition, what):
    """Waits until the condition holds, and returns what it returned."""
    end = time.monotonic() + DEADLINE
    while True:
        result = condition()
        if result:
            return result
        expect(time.monotonic() < end, f"timed out: {what}")
        time.sleep(0.005)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, timeout=DEADLINE, check=False, **options)


SERVER, CHAT, COROUTINE_ECHO, MIGRATION_BEFORE, MIGRATION_AFTER, TLS_CLIENT = sys.argv[1:7]
FOLDER = tempfile.TemporaryDirectory()
CERTIFICATE = str(Path(FOLDER.name) / "certificate.pem")
KEY = str(Path(FOLDER.name) / "key.pem")


class Serving:
    """A program that prints the port on which it serves."""

    def __init__(self, *command, descriptors=None):
        """DESCRIPTORS is how many it may have."""
        limit = descriptors and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)))
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit)
        first = self.process.stdout.readline()
        found = re.fullmatch(r"port (\d+)\n", first)
        expect(found, f"no port: {first!r}")
        self.port = int(found.group(1))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.process.kill()
        self.process.communicate()

    def connect_plainly(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)

    def refuses(self):
        try:
            self.connect_plainly().close()
        except ConnectionError:
            return True
        return False

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """Returns what it has printed."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self):
        output, errors = self.process.communicate(timeout=DEADLINE)
        expect(self.process.returncode == 0, f"status {self.process.returncode}: {errors}")
        return output.strip()


class Server(Serving):
    def __init__(self, idle=60, drain=30):
        super().__init__(SERVER, CERTIFICATE, KEY, "0", str(idle), str(drain))

    def connect(self):
        """A connection whose handshake is over."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(CERTIFICATE)
        return context.wrap_socket(
            self.connect_plainly(), server_hostname="localhost", suppress_ragged_eofs=False)

    def ask(self, connection, size):
        connection.sendall(f"GET /{size} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def read_response(connection):
    """The size of the body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or fail_at_end(data)
    head, body = data.split(b"\r\n\r\n", 1)
    size = int(re.search(rb"Content-Length: (\d+)", head).group(1))
    got = len(body)
    while got < size:
        more = connection.recv(65536)
        expect(more, f"the response is cut after {got} bytes of {size}")
        got += len(more)
    return size


def fail_at_end(data):
    raise Failed(f"the connection has ended after {len(data)} bytes")


def check_curl():
    with Server() as server:
        url = f"https://localhost:{server.port}"
        # Two over one connection.
        got = run("curl", "--silent", "--show-error", "--cacert", CERTIFICATE, "--write-out",
                  "%{size_download} %{num_connects}\n", "--output", "/dev/null", f"{url}/5",
                  "--output", "/dev/null", f"{url}/{LARGE}")
        expect(got.stdout == f"5 1\n{LARGE} 0\n".encode(), f"curl: {got}")
        expect(server.stop() != "", "no tally")


def check_openssl():
    """It tells of an end without close_notify: "unexpected eof while reading"."""
    with Server() as server:
        got = run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-quiet",
                  "-CAfile", CERTIFICATE,
                  input=b"GET /5 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        expect(got.returncode == 0 and got.stdout.endswith(b"xxxxx"), f"openssl: {got}")
        expect(b"unexpected eof" not in got.stderr, f"openssl: {got}")
        server.stop()


def check_idle():
    with Server(idle=1) as server:
        connection = server.connect()
        server.ask(connection, 1)
        read_response(connection)
        begin = time.monotonic()
        expect(connection.recv(1) == b"", "no regular end")
        expect(time.monotonic() - begin < DEADLINE / 2, "the watchdog is late")
        connection.close()
        server.stop()


def check_drain():
    """A response that is under way comes whole, then a regular end; so does the end of an idle connection."""
    with Server() as server:
        busy, idle = server.connect(), server.connect()
        server.ask(idle, 1)
        read_response(idle)
        server.ask(busy, LARGE)
        poll(lambda: busy.pending() or busy.recv(1), "the response has begun")
        server.process.send_signal(signal.SIGTERM)
        expect(idle.recv(1) == b"", "no regular end of the idle connection")
        idle.close()
        got = 1
        while more := busy.recv(65536):
            got += len(more)
        expect(got > LARGE, f"the response is cut after {got} bytes")
        busy.close()
        tally = server.end()
        expect("2 peer_closed" in tally and "3 members" in tally, f"tally: {tally}")


def check_deadline():
    """A peer that does not read its response is given up at the deadline."""
    with Server(drain=1) as server:
        connection = server.connect()
        server.ask(connection, LARGE * 7)
        poll(lambda: connection.recv(1), "the response has begun")
        begin = time.monotonic()
        tally = server.stop()
        expect(time.monotonic() - begin >= 1, f"before the deadline: {tally}")
        expect("2 members" in tally and "unacknowledged" in tally, f"tally: {tally}")


def check_dump():
    with Server() as server:
        with server.connect() as connection:
            server.ask(connection, 1)
            read_response(connection)
            server.process.send_signal(signal.SIGUSR1)
            expect(server.process.stderr.readline() == "2 open\n", "the acceptor and a connection")
        server.stop()


def read_line(connection):
    line = b""
    while not line.endswith(b"\n"):
        line += connection.recv(1) or fail_at_end(line)
    return line


def check_chat():
    with Serving(CHAT) as chat:
        first, second, third = (chat.connect_plainly() for _ in range(3))
        # That a client is there shows in what it receives.
        for talker, others in ((first, (second, third)), (second, (first, third))):
            poll(lambda: talker.send(b"hello\n") and all(is_readable(o) for o in others), "all hear it")
        for connection in (first, second, third):
            drain(connection)
        first.sendall(b"last words\n/kick\n")
        for connection in (second, third):
            expect(read_to_end(connection).endswith(b"last words\n"), "what was sent before comes first")
            connection.close()
        chat.process.send_signal(signal.SIGTERM)
        read_to_end(first)
        first.close()
        expect("peer_closed" in chat.end(), "the tally")


def is_readable(connection, seconds=0):
    return bool(select.select([connection], [], [], seconds)[0])


def drain(connection):
    """Until nothing has come for a moment: what was said is heard by then, or comes with the next words."""
    while select.select([connection], [], [], 0.05)[0] and connection.recv(65536):
        pass


def read_to_end(connection):
    data = b""
    while more := connection.recv(65536):
        data += more
    return data


HAS_COROUTINES = b"without coroutines" not in run("strings", COROUTINE_ECHO).stdout
ECHO_SERVERS = (MIGRATION_BEFORE, MIGRATION_AFTER, *((COROUTINE_ECHO,) if HAS_COROUTINES else ()))


def expect_echo(connection, data):
    connection.sendall(data)
    got = b""
    while len(got) < len(data):
        got += connection.recv(65536) or fail_at_end(got)
    expect(got == data, "the echo differs")


def check_echo():
    for program in ECHO_SERVERS:
        with Serving(program) as echo:
            connection = echo.connect_plainly()
            expect_echo(connection, bytes(range(256)) * 4)
            echo.process.send_signal(signal.SIGTERM)
            expect(read_to_end(connection) == b"", "no regular end")
            connection.close()
            expect(("peer_closed" in echo.end()) == (program != MIGRATION_BEFORE), "the report")


def check_idle_clients_of_echo():
    """A client that says something now and then is none."""
    for program in ECHO_SERVERS:
        with Serving(program, "0", "1") as echo:
            idle, active = echo.connect_plainly(), echo.connect_plainly()
            begin = time.monotonic()
            while time.monotonic() - begin < 2.5:
                expect_echo(active, b"hello")
                is_readable(active, 0.2)
            expect(is_readable(idle) and idle.recv(1) == b"", "no regular end")
            expect(read_to_end(active) == b"", "no regular end")
            idle.close()
            active.close()
            echo.stop()


def fill(connection):
    """Sends until nothing more has been taken for a while, since the echo is not read. Returns what was sent."""
    sent = bytearray()
    part = bytes(range(251)) * 256
    connection.setblocking(False)
    while select.select([], [connection], [], 0.3)[1]:
        sent += part[:connection.send(part)]
    connection.settimeout(DEADLINE)
    return bytes(sent)


def unread(connection):
    """How many of the bytes that CONNECTION has sent the other end, on this machine, has not read."""
    queued = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))[0]
    ends = f":{connection.getpeername()[1]:04X}", f":{connection.getsockname()[1]:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines():
        fields = line.split()
        if all(field.endswith(end) for field, end in zip(fields[1:3], ends)):
            return queued + int(fields[4].split(":")[1], 16)
    raise Failed("the connection is not in /proc/net/tcp")


def check_rest_of_echo():
    """What the server is writing comes whole although it ends, and then a regular end."""
    for program in ECHO_SERVERS:
        with Serving(program) as echo:
            connection = echo.connect_plainly()
            sent = fill(connection)
            taken = len(sent) - unread(connection)
            echo.process.send_signal(signal.SIGTERM)
            poll(echo.refuses, "the server ends")
            got = read_to_end(connection)
            expect(len(got) >= taken and sent.startswith(got), f"an echo of {len(got)} bytes, of at least {taken}")
            connection.close()
            echo.end()


def check_client_that_does_not_read():
    for program in (MIGRATION_BEFORE, MIGRATION_AFTER):
        with Serving(program) as echo:
            connection = echo.connect_plainly()
            fill(connection)
            begin = time.monotonic()
            echo.stop()
            expect(4 < time.monotonic() - begin < DEADLINE / 2, "given up after five seconds")
            connection.close()


def check_servers_without_descriptors():
    """They wait, as the connections in the queue do, and go on when a descriptor is free."""
    programs = [(CHAT,), (SERVER, CERTIFICATE, KEY), *((program,) for program in ECHO_SERVERS)]
    for program in programs:
        with Serving(*program, descriptors=24) as server:
            connections = [server.connect_plainly() for _ in range(40)]
            poll(lambda: server.descriptors() == 24, "all descriptors are used")
            begin, used = time.monotonic(), server.processor_seconds()
            poll(lambda: time.monotonic() - begin > 0.5, "half a second")
            used = server.processor_seconds() - used
            expect(used < 0.1, f"{program[0]} has used {used} s of processor time in half a second of waiting")
            for connection in connections:
                connection.close()
            poll(lambda: server.descriptors() < 24, "descriptors are free again")
            if program[0] in ECHO_SERVERS:
                with server.connect_plainly() as connection:
                    expect_echo(connection, b"hello")
            server.stop()


def check_tls_client():
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert", CERTIFICATE, "-key", KEY],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        port = next(re.search(r":(\d+)$", line.strip()).group(1)
                    for line in server.stdout if line.startswith("ACCEPT"))
        got = run(TLS_CLIENT, "localhost", port, CERTIFICATE)
        expect(got.returncode == 0 and b"200 ok" in got.stdout, f"tls_client: {got}")
        expect(b"close_notify answered" in got.stdout, f"tls_client: {got}")
    finally:
        server.kill()
        server.communicate()
    got = run(TLS_CLIENT, "localhost", port, CERTIFICATE)
    expect(b"refused" in got.stdout and got.returncode == 0, f"tls_client without a server: {got}")


def main():
    made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
               "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", KEY, "-out",
               CERTIFICATE)
    expect(made.returncode == 0, f"openssl req: {made}")
    for name, check in sorted(globals().items()):
        if name.startswith("check_"):
            check()
            print(f"{name[6:]}: passed")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failed:
        sys.exit(f"examples_check: {failed}")
