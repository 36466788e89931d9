#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Look from outside at which thread makes which system call for a close, and in which order.

usage: close_order.py PROGRAM      (built from close_order.cpp; needs strace)

In each way of closing the descriptor first leaves the epoll set of the context, then it is closed, each by
the thread that the way prescribes. In between, only these two threads and the worker make a call on the descriptor, and none
does if no other code has seen the descriptor (PLAIN). The worker is the thread named "interlock", a thread of
the elastic lane is named "interlock-close".

Where the loop's thread is to take the descriptor out, the worker does when that thread has not been scheduled
for a while; this is tried again until the loop's thread has.
"""

import os
import re
import subprocess
import sys
import tempfile

WORKER = "interlock"
LANE = "interlock-close"
TIME_LIMIT = 120
ATTEMPTS = 5

# Which thread takes the descriptor out of the epoll set, and which calls close(2). "main" calls the member
# function.
WAYS = {
    "async_close": ("loop", WORKER),
    "close": ("main", "main"),
    "destructor": ("main", "main"),
    "unattended": (WORKER, WORKER),
    "blocked": ("reader", "reader"),
    "opened": ("main", "main"),
    "unread": ("main", LANE),
}

PLAIN = {"opened"}

LINE = re.compile(r"^(?P<id>\d+) +(?P<rest>.*)$")
BEGUN = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*)$")
RESUMED = re.compile(r"^<\.\.\. (?P<name>\w+) resumed>")


class Call:
    """One system call: the thread that made it, and the lines of the trace where it began and ended."""

    def __init__(self, thread, name, arguments, begun):
        self.thread, self.name, self.arguments = thread, name, arguments
        self.begun, self.ended = begun, begun

    def concerns(self, descriptor):
        if self.name == "epoll_ctl":
            return self.arguments.split(",")[2].strip() == str(descriptor)
        polled = re.findall(r"\bfd=(\d+)", self.arguments)
        first = re.match(r"(\d+)\b", self.arguments)
        return str(descriptor) in polled or bool(first and first.group(1) == str(descriptor))

    def __str__(self):
        return f"{self.thread}: {self.name}({self.arguments}"


def parse(text):
    """The calls of a trace, in the order of their beginnings."""
    calls, pending, names = [], {}, {}
    for position, line in enumerate(text.splitlines()):
        match = LINE.match(line)
        if not match:
            continue
        thread, rest = match.group("id"), match.group("rest")
        names.setdefault(thread, "main" if not names else thread)
        if RESUMED.match(rest):
            pending.pop(thread).ended = position
            continue
        begun = BEGUN.match(rest)
        if not begun:
            continue
        call = Call(thread, begun.group("name"), begun.group("arguments"), position)
        calls.append(call)
        if "<unfinished" in rest:
            pending[thread] = call
        named = re.match(r'PR_SET_NAME, "([^"]*)"', call.arguments)
        if named:
            names[thread] = named.group(1)
    for call in pending.values():
        call.ended = len(text)
    for call in calls:
        call.thread = names[call.thread]
    return calls


def is_control(call, what, descriptor):
    return (
        call.name == "epoll_ctl"
        and call.arguments.split(",")[1].strip() == what
        and call.concerns(descriptor)
    )


def only(found, what):
    if len(found) != 1:
        raise AssertionError(f"{len(found)} calls of {what}, not one")
    return found[0]


def check(calls, descriptor, plain):
    """Which threads took `descriptor` out of the epoll set and closed it; an AssertionError says what is wrong."""
    added = only([c for c in calls if is_control(c, "EPOLL_CTL_ADD", descriptor)], "EPOLL_CTL_ADD")
    later = [c for c in calls if c.begun > added.ended and c.concerns(descriptor)]
    closes = [c for c in later if c.name == "close"]
    if not closes:
        raise AssertionError("the descriptor was not closed")
    closed = closes[0]  # it may be another owner's afterwards
    deleted = only(
        [c for c in later if is_control(c, "EPOLL_CTL_DEL", descriptor) and c.begun < closed.begun],
        "EPOLL_CTL_DEL before the close",
    )
    between = [c for c in later if c not in (deleted, closed) and deleted.begun < c.ended
               and c.begun < closed.ended and (plain or c.thread not in (deleted.thread, closed.thread, WORKER))]
    if deleted.ended >= closed.begun:
        raise AssertionError("the close began before EPOLL_CTL_DEL had ended")
    if between:
        raise AssertionError("in between: " + "; ".join(map(str, between)))
    return deleted.thread, closed.thread


def trace(program, way):
    """The text of the trace and the descriptor that was closed."""
    environment = dict(os.environ)
    # A leak check is a debugger itself, and there can be only one.
    environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace")
        done = subprocess.run(
            ["strace", "-f", "-o", path, "-e", "trace=%desc,%network,prctl", program, way],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=TIME_LIMIT,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace")
            raise AssertionError(f"status {done.returncode}: {said}")
        descriptor = int(re.match(rb"descriptor (\d+)\n", done.stdout).group(1))
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(), descriptor


def check_way(program, way, expected):
    """Whether `way` is as it should be; says so."""
    text = ""
    try:
        for attempt in range(ATTEMPTS):
            text, descriptor = trace(program, way)
            found = check(parse(text), descriptor, way in PLAIN)
            if found[0] != WORKER or expected[0] == WORKER:
                break
        if found != expected:
            raise AssertionError(f"EPOLL_CTL_DEL and close by {found}, not by {expected}")
    except (AssertionError, subprocess.TimeoutExpired) as error:
        print(f"{way}: {error}\n{text}")
        return False
    print(f"{way}: EPOLL_CTL_DEL by {found[0]}, close by {found[1]} (attempt {attempt + 1})")
    return True


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    results = [check_way(sys.argv[1], way, expected) for way, expected in WAYS.items()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
