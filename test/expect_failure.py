#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Run a program that must fail, and check that it fails for the expected reason.

usage: expect_failure.py REGEX -- PROGRAM [ARGUMENT...]

Passes if PROGRAM ends with a status other than 0 and a line of its output matches REGEX. A
crash without that line, a time-out and a success are all failures of this check.
"""

import re
import subprocess
import sys

TIME_LIMIT = 300


def main():
    arguments = sys.argv[1:]
    if len(arguments) < 3 or arguments[1] != "--":
        sys.exit(__doc__)
    symptom, command = re.compile(arguments[0], re.MULTILINE), arguments[2:]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print(f"expect_failure: {command[0]} was still running after {TIME_LIMIT} s")
        return 1
    output = done.stdout.decode(errors="replace")
    if done.returncode == 0:
        print(output + "expect_failure: the program succeeded, but its library is broken")
        return 1
    if not symptom.search(output):
        print(output + f"expect_failure: status {done.returncode}, no line matches '{arguments[0]}'")
        return 1
    print(f"expect_failure: status {done.returncode}, noticed: {symptom.search(output).group(0)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
