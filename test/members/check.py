#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check that a page is what a program prints.

usage: check.py PROGRAM PAGE            compare
       check.py --write PROGRAM PAGE    write the page anew

Exit status 0: the same, or written; 1: each line that differs has been printed.
"""

import difflib
import os
import subprocess
import sys


def printed_by(program):
    done = subprocess.run([os.path.abspath(program)], stdout=subprocess.PIPE, text=True, check=True)
    if not done.stdout:
        sys.exit(f"check: {program} prints nothing")
    return done.stdout


def main():
    arguments = sys.argv[1:]
    write = arguments[:1] == ["--write"]
    if len(arguments) != 2 + write:
        print(__doc__)
        return 2
    program, page = arguments[write:]
    text = printed_by(program)
    if write:
        with open(page, "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    with open(page, encoding="utf-8") as file:
        committed = file.read()
    if committed == text:
        return 0
    sys.stdout.writelines(difflib.unified_diff(
        committed.splitlines(True), text.splitlines(True), page, program))
    print(f"check: {page} is not what {program} prints: write it with --write")
    return 1


if __name__ == "__main__":
    sys.exit(main())
