#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Compare the table of faults with the door through which the library calls the system.

usage: check_faults.py DOOR TABLE KERNEL

DOOR is include/interlock/detail/sys.hpp, TABLE harness/faults.cpp, KERNEL the sys.hpp that takes the door's place in a
run. Each call of the door must be in the table, or one that the kernel of a run does not have; and nothing else but
"thread" may be in the table.
"""

import re
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    door, table, kernel = (read(path) for path in sys.argv[1:])
    calls = set(re.findall(r"^using ::(\w+);", door, re.MULTILINE))
    listed = set(re.findall(r'\{"(\w+)", \{', table))
    missing = set(re.findall(r"^INTERLOCK_MISSING\((\w+)\)", kernel, re.MULTILINE))
    faults = [f"{name}: of the door, and not in the table" for name in sorted(calls - listed - missing)]
    faults += [f"{name}: in the table, and not of the door" for name in sorted(listed - calls - {"thread"})]
    faults += [f"{name}: in the table, and the kernel of a run does not have it" for name in sorted(listed & missing)]
    if not calls or not listed:
        faults.append("a list is empty")
    print("\n".join(faults + [f"check_faults: {len(listed)} calls, {len(faults)} faults"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
