#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# User-space instructions of a loopback read+write round on each side of round.cpp, and
# their ratios. What a round costs is the difference of two run lengths, so start and end do not
# count; callgrind counts the same total whatever else the machine is doing.
#
# usage: instructions.py ROUND_PLAIN ROUND_STRAND ROUND_INTERLOCK

import re
import subprocess
import sys
import tempfile

SIDES = ("plain", "strand", "interlock")
SHORT, LONG = 1000, 6000


def instructions(program, rounds):
    with tempfile.NamedTemporaryFile() as out:
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", program, str(rounds)],
            stderr=subprocess.PIPE, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def per_round(program):
    short, long = (instructions(program, rounds) for rounds in (SHORT, LONG))
    return (long - short) / (LONG - SHORT)


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: instructions.py ROUND_PLAIN ROUND_STRAND ROUND_INTERLOCK")
    cost = dict(zip(SIDES, map(per_round, sys.argv[1:])))
    print("user-space instructions of a loopback read+write round")
    for side in SIDES:
        print(f"  {side:<12}{cost[side]:8.0f}")
    print(f"interlock / plain   {cost['interlock'] / cost['plain']:.3f}")
    print(f"interlock / strand  {cost['interlock'] / cost['strand']:.3f}")


if __name__ == "__main__":
    main()
