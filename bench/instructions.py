#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
#
# User-space instructions of a loopback read+write round on each side of the program "round", and
# their ratios. What a round costs is the difference of two run lengths, so start and end do not
# count; callgrind counts the same total whatever else the machine is doing.
#
# usage: instructions.py ROUND_PROGRAM

import re
import subprocess
import sys
import tempfile

SIDES = ("plain", "strand", "interlock")
SHORT, LONG = 1000, 6000


def instructions(program, side, rounds):
    with tempfile.NamedTemporaryFile() as out:
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", program, side,
             str(rounds)], stderr=subprocess.PIPE, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def per_round(program, side):
    short, long = (instructions(program, side, rounds) for rounds in (SHORT, LONG))
    return (long - short) / (LONG - SHORT)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: instructions.py ROUND_PROGRAM")
    cost = {side: per_round(sys.argv[1], side) for side in SIDES}
    print("user-space instructions of a loopback read+write round")
    for side in SIDES:
        print(f"  {side:<12}{cost[side]:8.0f}")
    print(f"interlock / plain   {cost['interlock'] / cost['plain']:.3f}")
    print(f"interlock / strand  {cost['interlock'] / cost['strand']:.3f}")


if __name__ == "__main__":
    main()
