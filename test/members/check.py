#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check that a page is what a program prints.

usage: check.py PROGRAM PAGE            compare
       check.py --write PROGRAM PAGE    write the page anew

Exit status 0: the same, or written; 1: each line that differs has been printed.
"""

import difflib
import pathlib
import subprocess
import sys


def main():
    write = sys.argv[1:2] == ["--write"]
    if len(sys.argv) != 3 + write:
        sys.exit(__doc__)
    program, page = (pathlib.Path(argument) for argument in sys.argv[1 + write:])
    done = subprocess.run([program.resolve()], stdout=subprocess.PIPE, text=True, check=True)
    if not done.stdout:
        sys.exit(f"check: {program} prints nothing")
    if write:
        page.write_text(done.stdout, encoding="utf-8")
    before, after = page.read_text(encoding="utf-8").splitlines(True), done.stdout.splitlines(True)
    if before == after:
        return 0
    sys.stdout.writelines(difflib.unified_diff(before, after, str(page), str(program)))
    print(f"check: {page} is not what {program} prints: write it with --write")
    return 1


if __name__ == "__main__":
    sys.exit(main())
