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
import select
import signal
import socket
import subprocess
import sys
import threading
import time

DEADLINE = 60.0
SIZE = 5 * 1024 * 1024


class Failed(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failed(what)


def poll(condition, what, deadline=DEADLINE):
    """Waits until the condition holds, and returns what it returned."""
    end = time.monotonic() + deadline
    while True:
        result = condition()
        if result:
            return result
        expect(time.monotonic() < end, f"timed out: {what}")
        time.sleep(0.005)


class Relay:
    """A relay process; its status lines are collected by a thread."""

    def __init__(self, upstream_port, *options, host="127.0.0.1", descriptors=None):
        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.process = subprocess.Popen(
            [sys.argv[1], "--upstream", f"{host}:{upstream_port}", "--status", "0.05",
             *options, *sys.argv[2:]],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit)
        first = self.process.stdout.readline()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", first)
        if not found:
            raise Failed(f"no port announced: {first!r} {self.process.communicate()}")
        self.port = int(found.group(1))
        self.lines = []
        self.lock = threading.Lock()
        self.reader = threading.Thread(target=self._collect, daemon=True)
        self.reader.start()
        self.summary = None

    def _collect(self):
        for line in self.process.stderr:
            with self.lock:
                self.lines.append(line)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None and kind is None:
            self.stop()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(DEADLINE)
        self.process.stdout.close()
        self.process.stderr.close()

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, status=0):
        """Waits for the end, and checks status and summary line."""
        try:
            got = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise Failed("the relay does not end") from None
        self.reader.join(DEADLINE)
        self.summary = self.process.stdout.read()
        expect(got == status, f"exit status {got}, not {status}: {''.join(self.lines[-40:])}")
        expect(re.fullmatch(r"served \d+ sessions, \d+ bytes up, \d+ bytes down, "
                            r"\d+ chaos closes, \d+ errors\n", self.summary),
               f"summary line {self.summary!r}")

    def stop(self):
        self.signal()
        self.wait()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), DEADLINE)

    def status(self, since=0):
        """The newest complete status line after the first `since` ones, as a dictionary."""
        with self.lock:
            lines = [line for line in self.lines if line.startswith("status ")][since:]
        if not lines:
            return None
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", lines[-1])}

    def status_count(self):
        with self.lock:
            return sum(line.startswith("status ") for line in self.lines)

    def reaches(self, **wanted):
        """Waits for a status line with (at least) these values."""
        def reached():
            now = self.status()
            return now and all(now.get(key, 0) == value for key, value in wanted.items())

        poll(reached, f"status {wanted}, last was {self.status()}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


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


def readable(connection, timeout):
    return bool(select.select([connection], [], [], timeout)[0])


def check_echo_is_byte_exact():
    sent = os.urandom(SIZE)
    with Upstream(echo) as upstream, Relay(upstream.port) as relay:
        with relay.connect() as client:
            def send():
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)

            sender = threading.Thread(target=send)
            sender.start()
            got = read_all(client)
            sender.join()
        expect(got == sent, f"{len(got)} bytes came back, or others than were sent")
        relay.stop()
        expect(relay.summary == f"served 1 sessions, {SIZE} bytes up, {SIZE} bytes down, "
               "0 chaos closes, 0 errors\n", relay.summary)


def check_many_connections_at_once():
    with Upstream(echo) as upstream, Relay(upstream.port) as relay:
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
        relay.reaches(accepted=32, active=0, closed=32, errors=0)


def check_half_close_by_the_client():
    sent = os.urandom(SIZE)

    def answer_after_the_end(connection):
        digest = hashlib.sha256(read_all(connection)).digest()
        connection.sendall(digest * 4096)

    with Upstream(answer_after_the_end) as upstream, Relay(upstream.port) as relay:
        with relay.connect() as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            got = read_all(client)
        expect(got == hashlib.sha256(sent).digest() * 4096, "the answer after half-close")
        relay.reaches(active=0, closed=1, errors=0)


def check_half_close_by_the_upstream():
    sent, greeting, got = os.urandom(SIZE), os.urandom(100000), []

    def greet_then_read(connection):
        connection.sendall(greeting)
        connection.shutdown(socket.SHUT_WR)
        got.append(read_all(connection))

    with Upstream(greet_then_read) as upstream, Relay(upstream.port) as relay:
        with relay.connect() as client:
            expect(read_all(client) == greeting, "the greeting")
            client.sendall(sent)
        relay.reaches(active=0, closed=1, errors=0)
        poll(lambda: got, "upstream sees the end")
        expect(got == [sent], "what was sent after half-close")


def check_idle_timeout_ends_only_the_silent():
    with Upstream(echo) as upstream, Relay(upstream.port, "--idle-timeout", "0.5") as relay:
        with relay.connect() as silent, relay.connect() as talker:
            ping(talker)
            began = time.monotonic()
            while not readable(silent, 0.02):
                ping(talker)
                expect(time.monotonic() - began < DEADLINE, "the silent connection lives on")
            took = time.monotonic() - began
            expect(ended(silent), "data on the silent connection")
            expect(took > 0.4, f"ended after {took:.3f} s already")
            ping(talker)
        relay.reaches(active=0, closed=2, idle_timeout=1, errors=1)


def check_max_connections():
    with Upstream(echo) as upstream, Relay(upstream.port, "--max-connections", "2") as relay:
        with relay.connect() as first, relay.connect() as second, relay.connect() as third:
            ping(first)
            ping(second)
            third.sendall(b"third")
            seen = relay.status_count()
            poll(lambda: relay.status_count() > seen + 4, "four periods")
            now = relay.status()
            expect(now["accepted"] == 2 and now["active"] == 2, f"with three connected: {now}")
            expect(not readable(third, 0), "the third is served")
            first.close()
            expect(read_exactly(third, 5) == b"third", "the echo differs")
            ping(second)
        relay.reaches(accepted=3, active=0, closed=3, errors=0)


def check_running_out_of_descriptors():
    """A client that the limit leaves without an upstream is dropped, so the last one has to wait
    until all of the crowd has been accepted and closed."""
    with Upstream(echo) as upstream, Relay(upstream.port, descriptors=48) as relay:
        with relay.connect() as client:
            ping(client)
        relay.reaches(active=0)
        idle = relay.descriptors()
        with contextlib.ExitStack() as clients:
            crowd = [clients.enter_context(relay.connect()) for _ in range(100)]
            poll(lambda: (relay.status() or {}).get("emfile", 0) > 1, "a pause for descriptors")
            for one in crowd:
                with contextlib.suppress(ConnectionError):
                    one.sendall(b"x")
            poll(lambda: any(is_served(one) for one in crowd), "service for some of the crowd")
        relay.reaches(accepted=101, active=0)
        poll(lambda: relay.descriptors() <= idle, "the descriptors of the crowd")
        with relay.connect() as client:
            ping(client)


def is_served(connection):
    try:
        return readable(connection, 0) and connection.recv(1, socket.MSG_PEEK) == b"x"
    except ConnectionError:
        return False


def check_connect_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Relay(port) as relay:
        with relay.connect() as client:
            expect(ended(client), "data from nobody")
        relay.reaches(active=0, closed=1, connect=1, errors=1)


def check_unresolvable_name():
    with Relay(1, host="no-such-host.invalid") as relay:
        with relay.connect() as client:
            expect(ended(client), "data from nobody")
        relay.reaches(active=0, closed=1, resolve=1, errors=1)


def check_every_address_is_tried():
    """The name may stand for ::1, too, where no socket listens."""
    with Upstream(echo) as upstream, Relay(upstream.port, host="localhost") as relay:
        with relay.connect() as client:
            ping(client)
        relay.reaches(active=0, closed=1, errors=0)


def check_connect_timeout():
    """A listener with a full backlog leaves further connection attempts without an answer."""
    with contextlib.ExitStack() as sockets:
        full = sockets.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        with Relay(full.getsockname()[1], "--connect-timeout", "0.3") as relay:
            with relay.connect() as client:
                expect(ended(client), "data from nobody")
            relay.reaches(active=0, closed=1, connect_timeout=1, errors=1)


def check_drain_lets_sessions_finish():
    with Upstream(echo) as upstream, Relay(upstream.port, "--drain", "60") as relay:
        with relay.connect() as client:
            ping(client)
            relay.signal(signal.SIGTERM)
            poll(lambda: is_refused(relay.port), "the listener is closed")
            ping(client, b"still here")
            expect(relay.process.poll() is None, "the relay did not wait")
        relay.wait()
        expect(", 0 errors" in relay.summary, relay.summary)


def is_refused(port):
    with socket.socket() as probe:
        probe.settimeout(DEADLINE)
        try:
            probe.connect(("127.0.0.1", port))
        except ConnectionError:
            return True
    return False


def check_drain_deadline_ends_the_rest():
    with Upstream(echo) as upstream, Relay(upstream.port, "--drain", "0.3") as relay:
        with contextlib.ExitStack() as clients:
            crowd = [clients.enter_context(relay.connect()) for _ in range(20)]
            for one in crowd:
                ping(one)
            relay.signal(signal.SIGINT)
            expect(all(ended(one) for one in crowd), "data instead of the end")
            relay.wait()
        expect("served 20 sessions" in relay.summary and ", 20 errors" in relay.summary,
               relay.summary)


def check_second_signal_ends_at_once():
    with Upstream(echo) as upstream, Relay(upstream.port, "--drain", "3600") as relay:
        with relay.connect() as client:
            ping(client)
            relay.signal()
            poll(lambda: is_refused(relay.port), "the listener is closed")
            relay.signal()
            relay.wait(128 + signal.SIGTERM)


def check_run_for():
    with Upstream(echo) as upstream, Relay(upstream.port, "--run-for", "0.2") as relay:
        relay.wait()


def check_descriptors_come_back():
    """The base is taken after one session: what is made once, at first need, is no leak."""
    with Upstream(echo) as upstream, Relay(upstream.port) as relay:
        with relay.connect() as client:
            ping(client)
        relay.reaches(active=0, closed=1)
        base = poll(lambda: steady_count(relay), "a steady number of descriptors")
        for rounds in range(5):
            with contextlib.ExitStack() as clients:
                crowd = [clients.enter_context(relay.connect()) for _ in range(40)]
                for one in crowd:
                    ping(one)
                for one in crowd[::3]:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                expect(relay.descriptors() >= base + 80, "80 more sockets in use")
            relay.reaches(active=0, closed=1 + 40 * (rounds + 1))
            poll(lambda: relay.descriptors() == base,
                 f"descriptors back to {base}, now {relay.descriptors()}")


def steady_count(relay):
    """The number of descriptors if it is the same over two status periods."""
    before, seen = relay.descriptors(), relay.status_count()
    poll(lambda: relay.status_count() > seen + 1, "two periods")
    return before if relay.descriptors() == before else None


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

    with Upstream(serve) as upstream, Relay(upstream.port, "--chaos", "1") as relay:
        with contextlib.ExitStack() as clients:
            try:
                for kind in [b"wait"] * 7 + [b"pour"] + [b"wait"] * 8:
                    ping(clients.enter_context(relay.connect()), kind)
                poll(lambda: full.is_set() or order, "the relay reads on although its client does not")
            except (ConnectionError, Failed):
                expect(time.monotonic() - began > 0.9, "a session that nothing can have struck fails")
            struck_early = order or time.monotonic() - began > 0.9
            return None if struck_early else poll(lambda: order, "the first strike")[0]


def check_bad_options():
    good = ["--upstream", "127.0.0.1:1"]
    for bad in ([], ["--upstream", "nowhere"], ["--upstream", "host:0"], ["--upstream", ":1"],
                ["--upstream", "host:70000"], ["--upstream", "::1:80"], good + ["--nonsense"],
                good + ["stray"], good + ["--threads", "-1"], good + ["--threads", "x"],
                good + ["--idle-timeout", "nan"], good + ["--drain", "-1"],
                good + ["--listen", "not-an-address:1"], good + ["--chaos"]):
        result = subprocess.run([sys.argv[1], *bad], capture_output=True, text=True,
                                timeout=DEADLINE, check=False)
        expect(result.returncode == 2, f"{bad}: exit status {result.returncode}")
        expect(result.stderr.startswith("relay: "), f"{bad}: says {result.stderr!r}")
    result = subprocess.run([sys.argv[1], "--help"], capture_output=True, text=True,
                            timeout=DEADLINE, check=False)
    expect(result.returncode == 0 and "--upstream" in result.stdout, "--help")


def check_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = subprocess.run(
            [sys.argv[1], "--upstream", "127.0.0.1:1", "--listen", str(taken.getsockname()[1])],
            capture_output=True, text=True, timeout=DEADLINE, check=False)
    expect(result.returncode == 1 and "cannot listen" in result.stderr, repr(result))


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
