#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check that the program in README.md is example/readme.cpp, which the tests build and run.

usage: check_readme.py [TOP]      (the source tree; by default the one this file is in)

Exit status 0: the first block of C++ in README.md stands in the example between its marks.
"""

import os
import re
import sys


def read(top, *path):
    with open(os.path.join(top, *path), encoding="utf-8") as file:
        return file.read()


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    shown = re.search(r"```cpp\n(.*?)```", read(top, "README.md"), re.DOTALL)
    built = re.search(r"//\[readme\n(.*?)//\]", read(top, "example", "readme.cpp"), re.DOTALL)
    same = shown and built and shown.group(1) == built.group(1)
    print("check_readme: README.md", "shows" if same else "does not show", "example/readme.cpp")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
