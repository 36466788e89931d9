#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Look at the closes of a program through its static probes.

usage: probes.py PROGRAM      (built from probes.cpp; needs readelf and gdb)

The ELF file has each probe, with its arguments. gdb stops at each and prints them: every tenure passes its probes in
order, with one address and one descriptor, and with the end that the program itself tells of. Where the probes are
switched off the file has none.
"""

import re
import subprocess
import sys

import debugger

# The number of the arguments.
PROBES = {"open": 2, "detach": 2, "close": 3, "close_return": 3, "outcome": 5}
NOTE = re.compile(r"Provider: interlock\n +Name: (\w+)\n.*\n +Arguments: (.*)\n")
# In nanoseconds.
LONGEST = 60 * 10**9


def probes_in(program):
    """The names and the numbers of arguments in the notes of the file. A probe may be in several places."""
    listed = subprocess.run(["readelf", "--notes", "--wide", program], stdout=subprocess.PIPE, text=True, check=True)
    return {name: len(arguments.split()) for name, arguments in NOTE.findall(listed.stdout)}


def look(program):
    """What the program tells of each tenure, and the probes that each passed, as [NAME, ARGUMENT...]. There is one
    tenure at a time."""
    lines = []
    for name, count in PROBES.items():
        values = "".join(f", $_probe_arg{i}" for i in range(count))
        lines += debugger.stop_and_go(
            f"-probe-stap interlock:{name}", f'printf "probe {name}{" %ld" * count}\\n"{values}')
    output = debugger.run(program, lines)
    told = [list(map(int, line)) for line in re.findall(r"^(\d+) ([01]) ([01]) (\d+) (\d+)$", output, re.M)]
    tenures = []
    for name, values in re.findall(r"^probe (\w+) (.*)$", output, re.M):
        if name == "open":
            tenures.append([])
        tenures[-1].append([name, *map(int, values.split())])
    return told, tenures


def fault_of(tenure, descriptor, closed, reset, error, outcome):
    """What is wrong with the probes of one tenure, or None."""
    address, time = tenure[0][1], tenure[-1][-1]
    wanted = [["open", address, descriptor], ["detach", address, descriptor]]
    if closed:
        wanted += [["close", address, descriptor, reset], ["close_return", address, descriptor, error]]
    wanted.append(["outcome", address, descriptor if closed else -1, outcome, error, time])
    if tenure != wanted:
        return f"passed {tenure}, not {wanted}"
    if not (0 < time < LONGEST if closed else time == 0):
        return f"{tenure}: the time of the close"
    return None


def faults(told, tenures):
    if len(told) != 5 or len(tenures) != len(told):
        yield f"{len(told)} tenures are told of, {len(tenures)} pass probes; 5 are opened"
    for line, tenure in zip(told, tenures):
        fault = fault_of(tenure, *line)
        if fault:
            yield fault


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = sys.argv[1]
    present = probes_in(program)
    said = subprocess.run([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout
    library = said.splitlines()[0]
    wanted = PROBES if library == "on" else {}
    if present != wanted:
        sys.exit(f"the probes of {program} are {present}, not {wanted}")
    if library == "no header":
        print("NOT RUN: no static probes without <sys/sdt.h> (Debian: systemtap-sdt-dev)")
    if library != "on":
        return 0
    found = list(faults(*look(program)))
    print("\n".join(found) or "each probe has been passed in its place")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
