#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# Behaviour of the relay, seen from outside: relay_check.py RELAY [OPTION...], the options
# being added to every relay that is started. Each check starts a relay of its own, which must end
# with status 0 after SIGTERM (so what a sanitizer finds fails the check, too). Waiting is always
# for something that can be observed, with a deadline.

import contextlib
import hashlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

DEADLINE = 60.0
SIZE = 5 * 1024 * 1024
SUMMARY = re.compile(r"served (\d+) sessions, (\d+) bytes up, (\d+) bytes down, \d+ chaos closes, (\d+) errors\n")


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


class Relay:
    """A relay process, which is told to end with the check."""

    def __init__(self, upstream, drain=DEADLINE, chaos=0, descriptors=None):
        self.process = subprocess.Popen(
            [sys.argv[1], "--upstream", str(upstream.port), "--drain", str(drain), "--chaos", str(chaos), *sys.argv[2:]],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        if descriptors:
            resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (descriptors, descriptors))
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", first)
        if not found:
            raise Failed(f"no port announced: {first!r} {self.process.communicate()}")
        self.port = int(found.group(1))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None and kind is None:
            self.stop()
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def signal(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        """Waits for the end; returns how many sessions, bytes up, bytes down and errors there were."""
        try:
            summary, errors = self.process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            raise Failed("the relay does not end") from None
        expect(self.process.returncode == 0 and not errors, f"exit status {self.process.returncode}: {errors[-4000:]}")
        found = SUMMARY.fullmatch(summary)
        expect(found, f"summary line {summary!r}")
        return tuple(map(int, found.groups()))

    def stop(self):
        """The drain lasts until every session has ended by itself."""
        self.signal()
        return self.wait()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), DEADLINE)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def sockets(self):
        folder, count = f"/proc/{self.process.pid}/fd", 0
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(f"{folder}/{name}").startswith("socket:")
        return count


class Upstream:
    """A server that runs `serve(connection)` in a thread for each connection."""

    def __init__(self, serve):
        self.serve = serve
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.failures = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        if kind is None:
            expect(not self.failures, f"upstream: {self.failures[:1]}")

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        connection.settimeout(DEADLINE)
        with connection:
            try:
                self.serve(connection)
            except ConnectionError:
                pass
            except Exception as error:  # told by the check that owns this server
                self.failures.append(repr(error))


def read_all(connection):
    chunks = []
    while chunk := connection.recv(1 << 16):
        chunks.append(chunk)
    return b"".join(chunks)


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        expect(chunk, f"end of stream after {len(data)} of {size} bytes")
        data += chunk
    return data


def echo(connection):
    while data := connection.recv(1 << 16):
        connection.sendall(data)


def ping(connection, text=b"ping"):
    connection.sendall(text)
    expect(read_exactly(connection, len(text)) == text, "the echo differs")


def ended(connection):
    """True when the peer has ended the connection, cleanly or by a reset."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def is_refused(port):
    with socket.socket() as probe:
        probe.settimeout(DEADLINE)
        try:
            probe.connect(("127.0.0.1", port))
        except ConnectionError:
            return True
    return False


def check_many_connections_at_once():
    with Upstream(echo) as upstream, Relay(upstream) as relay:
        failures = []

        def converse(number):
            try:
                sent = hashlib.sha256(b"%d" % number).digest() * 8192
                with relay.connect() as client:
                    sender = threading.Thread(target=client.sendall, args=(sent,))
                    sender.start()
                    expect(read_exactly(client, len(sent)) == sent, "bytes of another connection")
                    sender.join()
            except Exception as error:
                failures.append(repr(error))

        threads = [threading.Thread(target=converse, args=(n,)) for n in range(32)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        expect(not failures, failures[:1])
        size = 32 * 32 * 8192
        expect(relay.stop() == (32, size, size, 0), "the summary")


def check_half_close_by_the_client():
    sent = os.urandom(SIZE)

    def answer_after_the_end(connection):
        digest = hashlib.sha256(read_all(connection)).digest()
        connection.sendall(digest * 4096)

    with Upstream(answer_after_the_end) as upstream, Relay(upstream) as relay:
        with relay.connect() as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            got = read_all(client)
        expect(got == hashlib.sha256(sent).digest() * 4096, "the answer after half-close")
        expect(relay.stop() == (1, SIZE, 32 * 4096, 0), "the summary")


def check_half_close_by_the_upstream():
    sent, greeting, got = os.urandom(SIZE), os.urandom(100000), []

    def greet_then_read(connection):
        connection.sendall(greeting)
        connection.shutdown(socket.SHUT_WR)
        got.append(read_all(connection))

    with Upstream(greet_then_read) as upstream, Relay(upstream) as relay:
        with relay.connect() as client:
            expect(read_all(client) == greeting, "the greeting")
            client.sendall(sent)
        expect(relay.stop() == (1, SIZE, len(greeting), 0), "the summary")
        poll(lambda: got, "upstream sees the end")
        expect(got == [sent], "what was sent after half-close")


def check_drain_lets_sessions_finish():
    with Upstream(echo) as upstream, Relay(upstream) as relay:
        with relay.connect() as client:
            ping(client)
            relay.signal()
            poll(lambda: is_refused(relay.port), "the listener is closed")
            ping(client, b"still here")
            expect(relay.process.poll() is None, "the relay did not wait")
        expect(relay.wait()[3] == 0, "errors")


def check_drain_deadline_ends_the_rest():
    with Upstream(echo) as upstream, Relay(upstream, drain=0.3) as relay:
        with contextlib.ExitStack() as clients:
            crowd = [clients.enter_context(relay.connect()) for _ in range(20)]
            for one in crowd:
                ping(one)
            relay.signal()
            expect(all(ended(one) for one in crowd), "data instead of the end")
            served, _, _, errors = relay.wait()
        expect((served, errors) == (20, 20), f"{served} sessions, {errors} errors")


def check_sockets_come_back():
    with Upstream(echo) as upstream, Relay(upstream) as relay:
        idle, most = relay.sockets(), None
        for _ in range(5):
            with contextlib.ExitStack() as clients:
                crowd = [clients.enter_context(relay.connect()) for _ in range(40)]
                for one in crowd:
                    ping(one)
                for one in crowd[::3]:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                expect(relay.sockets() == idle + 80, "80 more sockets in use")
            poll(lambda: relay.sockets() == idle, f"sockets back to {idle}")
            # What is made once, at first need, is no leak.
            most = relay.descriptors() if most is None else most
            poll(lambda: relay.descriptors() <= most, f"descriptors back to {most}")


def check_running_out_of_descriptors():
    """The crowd is accepted all the same, as descriptors come back."""
    with Upstream(echo) as upstream, Relay(upstream, descriptors=48) as relay:
        idle = relay.sockets()
        with contextlib.ExitStack() as clients:
            crowd = [clients.enter_context(relay.connect()) for _ in range(100)]
            for one in crowd:
                with contextlib.suppress(ConnectionError):
                    one.sendall(b"x")
            expect(crowd[0].recv(1) == b"x", "the first of the crowd is not served")
            poll(lambda: relay.descriptors() >= 46, "the limit is not reached")
        with relay.connect() as client:
            ping(client)
        poll(lambda: relay.sockets() == idle, f"sockets back to {idle}")
        expect(relay.stop()[0] == 101, "sessions")


def check_chaos_strikes_a_session_that_writes():
    """One of 16 sessions writes, to a client that does not read. The first strike comes a second after
    the start; an attempt in which the sessions were not ready by then shows nothing and is repeated."""
    ended_first = None
    end = time.monotonic() + DEADLINE
    while ended_first is None:
        expect(time.monotonic() < end, "the sessions are never ready within a second")
        ended_first = first_to_end_under_chaos()
    expect(ended_first == b"pour", f"the first session to end: {ended_first}")


def first_to_end_under_chaos():
    """What the session was for that the first strike ended; None if the sessions were not ready."""
    began, full, order = time.monotonic(), threading.Event(), []

    def serve(connection):
        kind = read_exactly(connection, 4)
        try:
            connection.sendall(kind)
            connection.settimeout(0.05)
            while kind == b"pour" and not full.is_set():
                try:
                    connection.send(bytes(1 << 16))
                except TimeoutError:
                    full.set()
            connection.settimeout(DEADLINE)
            read_all(connection)
        finally:
            order.append(kind)

    with Upstream(serve) as upstream, Relay(upstream, chaos=1) as relay:
        with contextlib.ExitStack() as clients:
            try:
                for kind in [b"wait"] * 7 + [b"pour"] + [b"wait"] * 8:
                    ping(clients.enter_context(relay.connect()), kind)
                poll(lambda: full.is_set() or order, "the relay reads on although its client does not")
            except (ConnectionError, Failed):
                expect(time.monotonic() - began > 0.9, "a session that nothing can have struck fails")
            struck_early = order or time.monotonic() - began > 0.9
            return None if struck_early else poll(lambda: order, "the first strike")[0]


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: relay_check.py RELAY [OPTION...]")
    failed = False
    for name, check in list(globals().items()):
        if not name.startswith("check_"):
            continue
        title = name[len("check_"):].replace("_", " ")
        try:
            check()
            print(f"ok   {title}", flush=True)
        except Exception as error:  # whatever it is, the check has failed
            failed = True
            print(f"FAIL {title}: {error!r}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
