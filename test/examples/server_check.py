#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# The server of example/, seen by curl and openssl: server_check.py SERVER. Each check starts a server of its own, which must
# end with status 0 after SIGTERM. Waiting is always for something that can be observed, with a deadline.

import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
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


class Server:
    folder = tempfile.TemporaryDirectory()
    certificate = str(Path(folder.name) / "certificate.pem")
    key = str(Path(folder.name) / "key.pem")

    def __init__(self, idle=60, drain=30):
        self.process = subprocess.Popen(
            [sys.argv[1], self.certificate, self.key, "0", str(idle), str(drain)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = int(re.fullmatch(r"port (\d+)\n", self.process.stdout.readline()).group(1))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.process.kill()
        self.process.communicate()

    def connect(self):
        """A connection whose handshake is over."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.certificate)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
        return context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)

    def ask(self, connection, size):
        connection.sendall(f"GET /{size} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def stop(self):
        """Returns the tally."""
        self.process.send_signal(signal.SIGTERM)
        output, errors = self.process.communicate(timeout=DEADLINE)
        expect(self.process.returncode == 0, f"status {self.process.returncode}: {errors}")
        return output.strip()


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
        got = run("curl", "--silent", "--show-error", "--cacert", server.certificate, "--write-out",
                  "%{size_download} %{num_connects}\n", "--output", "/dev/null", f"{url}/5",
                  "--output", "/dev/null", f"{url}/{LARGE}")
        expect(got.stdout == f"5 1\n{LARGE} 0\n".encode(), f"curl: {got}")
        expect(server.stop() != "", "no tally")


def check_openssl():
    """It tells of an end without close_notify: "unexpected eof while reading"."""
    with Server() as server:
        got = run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-quiet",
                  "-CAfile", server.certificate,
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
        tally = server.process.communicate(timeout=DEADLINE)[0]
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


def main():
    made = run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
               "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", Server.key, "-out",
               Server.certificate)
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
        sys.exit(f"server_check: {failed}")
