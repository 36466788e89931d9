#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Measures Interlock beside its peers, and prints the figures and the budgets that they meet or not.

usage: figures.py BUILD [--quick | --write]     (run calls it; BUILD holds the programs and the results)

Each program of bench/ lets its sides take turns in one run, so that all see the same machine. What it records are
ratios of a turn, as median and quartiles; times on this machine where a unit is named. With --write the tables go
into doc/figures.qbk, and the pictures into doc/pictures/.

Exit status 0: what can be measured here has been, whether a budget is met or not; otherwise a program has failed.
"""

import errno
import math
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

import pictures

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIDES = ("asio", "strand", "epoll", "libuv", "go", "close", "destructor", "async_close")
SHOWN = {
    "asio": "Asio", "strand": "Asio, each socket on a strand", "epoll": "epoll(7)", "libuv": "libuv", "go": "Go",
    "close": "Interlock, close()", "destructor": "Interlock, destructor", "async_close": "Interlock, async_close()"}

CONNECT = 42    # connect(2), on x86-64
RATE, PROCESS = "messages a second", "processor time of the process"
# The quartiles, and the 95 % confidence interval of the median.
Figure = namedtuple("Figure", "median low high least most")
Echo = namedtuple("Echo", "title size connections threads")

ECHOES = [Echo(f"{size} bytes, {n} connection{'s' * (n > 1)}", size, n, 1)
          for size in (64, 16384) for n in (1, 64, 256)]
ECHOES.append(Echo("64 bytes, 64 connections, two loop threads", 64, 64, 2))
# Whose intervals have budgets.
BUDGETED = [e for e in ECHOES if (e.size, e.connections) == (64, 64)]
MORE_TURNS = 3
# How many messages each connection echoes at least, so that its accept and its close are a small part of the row.
LEAST_ECHOES, LEAST_ECHOES_QUICK = 200, 20


class Bench:
    """The programs, and what they have recorded."""

    def __init__(self, build, quick):
        self.build, self.quick, self.turns = build, quick, 3 if quick else 20

    def program(self, name):
        found = [p for p in self.build.rglob(name) if p.is_file() and os.access(p, os.X_OK)]
        if not found:
            sys.exit(f"figures: no program {name} in {self.build}")
        return max(found, key=lambda p: p.stat().st_mtime)

    def run(self, name, *arguments):
        """What the program records: a figure for each name."""
        print("  ", name, *arguments, flush=True)
        with tempfile.NamedTemporaryFile("r") as record:
            environment = {**os.environ, "BENCH_RECORD": record.name,
                           "BENCH_GO_SERVER": str(self.build / "go_server")}
            with open(self.build / "output", "a", encoding="utf-8") as output:
                print("#", name, *arguments, file=output, flush=True)
                subprocess.run([self.program(name), *map(str, arguments)], env=environment, stdout=output,
                               stdin=subprocess.DEVNULL, check=True)
            lines = [line.rstrip("\n").split("\t") for line in record]
        return {name: Figure(*map(float, values)) for name, *values in lines}

    # --- What is measured ---------------------------------------------------------------------

    def echo(self, e):
        """Each connection ends after its share of the messages, or after LEAST_ECHOES. Without the destructor, which
        ends it as close() does."""
        messages = (4000 if self.quick else 20000) // (1 if e.size == 64 else 4)
        least = LEAST_ECHOES_QUICK if self.quick else LEAST_ECHOES
        turns = self.turns * (MORE_TURNS if e in BUDGETED else 1)
        found = self.run("connections", turns, e.connections, e.threads, e.connections,
                         max(least, messages // e.connections), 0, e.size)
        return {what: figure for what, figure in found.items() if not what.startswith("destructor")}

    def connections(self):
        return self.run("connections", self.turns, 1000 if self.quick else 4000, 1, 32, 1)

    def idle(self):
        return self.run("connections", self.turns, 200 if self.quick else 1000, 1, 1, 1)

    def at_a_rate(self):
        return self.run("connections", self.turns, 2500 if self.quick else 10000, 1, 1, 1, 5000)

    def close_time(self):
        return self.run("close_time", self.turns, 400)

    def scale(self):
        return self.run("scale", self.turns, 2000 if self.quick else 20000)

    def lingering(self):
        return self.run("lingering", 2 if self.quick else 5, 0.5 if self.quick else 2, 1000,
                        2000 if self.quick else 8000)

    def stuck(self):
        return self.run("stuck", "pipes", 2 if self.quick else 5, 8, 15)

    def instructions(self):
        """Of a round: Interlock's ratio to Asio's and to the strand's."""
        print("   instructions.py", flush=True)
        programs = [self.program(f"round_{side}") for side in ("plain", "strand", "interlock")]
        text = subprocess.run([sys.executable, ROOT / "bench/instructions.py", *programs],
                              capture_output=True, text=True, check=True).stdout
        return [float(re.search(rf"interlock / {side} +([\d.]+)", text).group(1)) for side in ("plain", "strand")]

    def system_calls(self):
        """Of a connection: the median for each side. Nothing where perf(1) cannot trace system calls."""
        print("   perf", flush=True)
        sides = [s for s in SIDES if s != "go"]
        try:
            turns = [{s: self.calls_of_a_connection(s) for s in sides} for _ in range(3 if self.quick else 9)]
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"figures: no system calls: {error} {getattr(error, 'stderr', '')}", file=sys.stderr)
            return {}
        return {s: statistics.median(turn[s] for turn in turns) for s in sides}

    def calls_of_a_connection(self, side):
        """The difference of two counts: neither the start of the process nor its end is a part of it."""
        few, many = (500, 2500) if self.quick else (2000, 12000)
        return (self.server_calls(side, many) - self.server_calls(side, few)) / (many - few)

    def server_calls(self, side, count):
        """Of COUNT connections, without the clients' process, and without the calls that end with EAGAIN: how many of
        them there are depends on the moment at which a peer sends. So many connections at once keep the loop busy, and
        perf(1) hardly slows it."""
        with tempfile.NamedTemporaryFile() as data:
            subprocess.run(["perf", "record", "-q", "-c", "1", "-e", "raw_syscalls:sys_exit", "-o", data.name,
                            self.program("connections"), "--only", side, str(count), "1", "256"],
                           capture_output=True, text=True, check=True)
            text = subprocess.run(["perf", "script", "-i", data.name, "-F", "tid,trace"], capture_output=True,
                                  text=True, check=True).stdout
        calls = [line.split() for line in text.splitlines()]    # THREAD NR NUMBER = RESULT
        clients = {call[0] for call in calls if int(call[2]) == CONNECT}
        return sum(call[0] not in clients and int(call[-1]) != -errno.EAGAIN for call in calls)

    def compiled(self, name):
        """The processor time of a compilation, and the size of its code, against plain Asio."""
        print("   compiler", name, flush=True)
        best = {}
        for _ in range(1 if self.quick else 3):
            for side, flags in (("plain", ["-DBENCH_PLAIN"]), ("ours", [])):
                with tempfile.NamedTemporaryFile(suffix=".o") as compiled:
                    before = os.times().children_user
                    subprocess.run(["/usr/bin/g++", "-std=c++17", *flags, "-I", ROOT / "include", "-c",
                                    ROOT / "bench/compiled" / f"{name}.cpp", "-o", compiled.name], check=True)
                    spent = os.times().children_user - before
                    size = subprocess.run(["size", compiled.name], capture_output=True, text=True, check=True).stdout
                code = sum(map(int, size.splitlines()[1].split()[:2]))
                best[side] = min(best.get(side, (1e9, code)), (spent, code))
        return [ours / plain for ours, plain in zip(best["ours"], best["plain"])]


# --- The tables -----------------------------------------------------------------------------------

WORD_JOINER = "\u2060"     # no line ends here


def shown(figure):
    return f"{figure.median:.2f} ({figure.low:.2f}–{WORD_JOINER}{figure.high:.2f})"


def peers_table(title, results, what):
    """Rows: the workloads; columns: the sides, but Asio, whose ratios are 1. RESULTS maps a workload to its figures."""
    sides = [s for s in SIDES if s != "asio" and any(f"{s}: {what}" in r for r in results.values())]
    head = "".join(f" [{SHOWN[s]}]" for s in sides)
    rows = [f"    [[{name}]" + "".join(f" [{shown(r[f'{s}: {what}'])}]" for s in sides) + "]"
            for name, r in results.items()]
    return "\n".join([f"[table {title}", f"    [[]{head}]", *rows, "]"])


Budget = namedtuple("Budget", "what limit text met")


def judged(what, bound, value, digits, met):
    """MET is None where the figure has not been measured: nothing can be said then."""
    if math.isnan(value):
        return Budget(what, bound, "not measured", None)
    return Budget(what, bound, f"{value:.{digits}f}", met)


def at_most(what, limit, value, digits=3):
    return judged(what, f"at most {limit:g}", value, digits, value <= limit)


def at_least(what, limit, value, digits=3):
    return judged(what, f"at least {limit:g}", value, digits, value >= limit)


def budgets(found):
    """Each row of what the design promises to cost."""
    one, two = (found["echoes"][e.title] for e in BUDGETED)
    connections, closing, stuck = found["connections"], found["close_time"], found["stuck"]
    lingering, scale = found["lingering"], found["scale"]
    at_once = scale.get("10000 closed at once, against 1000")   # not measured where too few descriptors may be open
    most = max((int(name.split(":")[0]) for name in lingering if name.endswith("taken up")))
    yield at_most("instructions of a round, against Asio", 1.06, found["instructions"][0])
    yield at_most("instructions of a round, against the strand", 0.60, found["instructions"][1])
    for threads, echo in (("one loop thread", one), ("two loop threads", two)):
        for figure, name, limit in ((f"close: {RATE}", "Asio", 0.97), ("close, against strand", "the strand", 1),
                                    ("close, against libuv", "libuv", 1)):
            yield at_least(f"echoes a second, {threads}, against {name}: the lower end of the 95 % interval", limit,
                           echo[figure].least)
    for way, process, least in (("close", 1.08, 0.97), ("destructor", 1.08, 0.97), ("async_close", 1.30, 0.95)):
        yield at_most(f"connections, {SHOWN[way]}: processor time of the process, against Asio", process,
                      connections[f"{way}: {PROCESS}"].median)
        yield at_least(f"connections, {SHOWN[way]}: a second, against Asio", least,
                       connections[f"{way}: {RATE}"].median)
    yield at_most("connections, async_close(): processor time of the loop, against Asio", 1.05,
                  connections["async_close: processor time of the loop"].median)
    # Of the first a quarter is left to epoll_wait(2), which brings more or fewer events at a time.
    for way, limit in (("close", 8.25), ("async_close", 9.2)):
        yield at_most(f"system calls of a connection, {SHOWN[way]}", limit, found["calls"].get(way, math.nan))
    for what, run, limit in (("one at a time", "idle", 300), ("5 000 a second", "at_a_rate", 1200)):
        yield at_most(f"from async_close() to the peer's end of stream, {what}: 99th percentile, microseconds", limit,
                      found[run]["async_close: from close to end of stream, p99"].median, 0)
    for sockets in ("accepted", "connected"):
        for way, limit in (("close()", 1.10), ("async_close()", 0.6)):
            yield at_most(f"{sockets} sockets: the loop's time of {way}, against Asio's close()", limit,
                          closing[f"{sockets}: {way}, the loop's thread"].median)
    yield at_most("99.9th percentile of an echo beside 1 000 closes that linger, against the same without them", 1.3,
                  lingering["1000: echo p99.9, against quiet"].median)
    yield at_most(f"memory of each of {most} closes that linger, bytes", 512,
                  lingering[f"{most}: each close has taken up"].median, 1)
    for n in (8, 15):
        yield at_most(f"99th percentile of 1 000 other closes beside {n} that are stuck, against the same without them", 2,
                      stuck[f"{n} stuck: 1 000 others, p99, against none"].median)
        yield at_most(f"deliver(200 ms) beside {n} that are stuck is told after, ms", 250,
                      stuck[f"{n} stuck: deliver(200 ms) is told after, ms"].median, 0)
        yield at_most(f"a close beside {n} that are stuck is taken over after, ms", 150,
                      stuck[f"{n} stuck: a close is taken over after, ms"].median, 0)
    for name, program in (("chat", "a chat server"), ("http", "an HTTP server over Beast")):
        yield at_most(f"compilation of {program}, against Asio", 1.25, found["compiled"][name][0])
        yield at_most(f"code of {program}, against Asio", 1.4, found["compiled"][name][1])
    yield at_most("a close of 10 000 at once, against a close of 1 000 at once", 1.5,
                  at_once.median if at_once else math.nan)
    yield at_most("how much two threads that open and close slow each other down, against how much with Asio", 1.1,
                  scale["how much two slow down, against Asio's"].median)


def budget_table(rows):
    met = {True: "yes", False: "[*no]", None: ""}
    lines = [f"    [[{b.what}] [{b.limit}] [{b.text}] [{met[b.met]}]]" for b in rows]
    return "\n".join(["[table The budgets", "    [[] [Budget] [Measured] [Met]]", *lines, "]"])


def machine():
    cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if "model name" in line)
    compiler = subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    boost = re.search(r'BOOST_LIB_VERSION "(\d+)_(\d+)', pathlib.Path("/usr/include/boost/version.hpp").read_text())
    go = subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return (f"{os.cpu_count()} processors ({cpu}), Linux {platform.release().split('-')[0]}, g++ {compiler}, Boost "
            f"{boost.group(1)}.{boost.group(2)}, Go {go[2:]}; {time.strftime('%B %Y')}")


def measure(b):
    return {
        "echoes": {e.title: b.echo(e) for e in ECHOES},
        "connections": b.connections(), "idle": b.idle(), "at_a_rate": b.at_a_rate(),
        "close_time": b.close_time(), "scale": b.scale(), "lingering": b.lingering(), "stuck": b.stuck(),
        "instructions": b.instructions(),
        "calls": b.system_calls(),
        "compiled": {name: b.compiled(name) for name in ("chat", "http")}}


def pages(found, turns):
    calls = "".join(f"    [[{SHOWN[s]}] [{n:.2f}]]\n" for s, n in found["calls"].items())
    return "\n\n".join([
        f"Measured on {machine()}. The tables of peers: medians of {turns} turns ({MORE_TURNS * turns} of the echoes of "
        "64 bytes over 64 connections), with quartiles.",
        peers_table("Echoes a second, against Asio", found["echoes"], RATE),
        "[$pictures/echoes.svg]",
        peers_table("Processor time of an echo, against Asio", found["echoes"], PROCESS),
        peers_table("Connections a second, against Asio: accept, one echo, close",
                    {"32 at once": found["connections"]}, RATE),
        "[$pictures/connections.svg]",
        peers_table("Processor time of a connection, against Asio", {"32 at once": found["connections"]},
                    PROCESS),
        f"[table System calls of a connection, without those that end with EAGAIN\n    [[] [Calls]]\n{calls}]",
        budget_table(budgets(found))]) + "\n"


def drawn(found):
    """The pictures, by file."""
    def bars(results):
        return [(name, [(SHOWN[s], *r[f"{s}: {RATE}"][:3]) for s in SIDES if f"{s}: {RATE}" in r])
                for name, r in results.items()]
    return {
        "echoes.svg": pictures.bars("Echoes a second, against Asio", bars(found["echoes"])),
        "connections.svg": pictures.bars("Connections a second, against Asio",
                                         bars({"32 at once": found["connections"]}))}


HEAD = """[/
  Copyright (c) 2026 The Interlock authors
  SPDX-License-Identifier: BSL-1.0

  Made by bench/run --write.
]
"""


def main():
    options = sys.argv[2:]
    if len(sys.argv) < 2 or not set(options) <= {"--quick", "--write"} or len(options) > 1:
        sys.exit("usage: run [--quick | --write]")
    bench = Bench(pathlib.Path(sys.argv[1]), "--quick" in options)
    found = measure(bench)
    text = pages(found, bench.turns)
    print(text)
    if "--write" in options:
        (ROOT / "doc/figures.qbk").write_text(HEAD + text, encoding="utf-8")
        for name, picture in drawn(found).items():
            (ROOT / "doc/pictures" / name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
