#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Write a copy of a source file with one deliberate fault.

usage: mutate.py --in FILE --out FILE --pattern TEXT --replace TEXT

PATTERN is plain text and must occur exactly once, so that a change of the source cannot turn
the mutant into an unchanged copy, or into another fault, without an error.
"""

import argparse
import os
import sys


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--in", dest="source", required=True, metavar="FILE")
    parser.add_argument("--out", dest="target", required=True, metavar="FILE")
    parser.add_argument("--pattern", required=True, metavar="TEXT")
    parser.add_argument("--replace", required=True, metavar="TEXT")
    return parser.parse_args()


def main():
    options = arguments()
    if not options.pattern or options.pattern == options.replace:
        sys.exit("mutate: the pattern is empty or equal to its replacement")
    if os.path.realpath(options.source) == os.path.realpath(options.target):
        sys.exit("mutate: source and target are the same file")
    with open(options.source, encoding="utf-8") as file:
        text = file.read()
    count = text.count(options.pattern)
    if count != 1:
        sys.exit(f"mutate: '{options.pattern}' occurs {count} times in {options.source}, not once")
    os.makedirs(os.path.dirname(options.target) or ".", exist_ok=True)
    with open(options.target, "w", encoding="utf-8") as file:
        file.write(text.replace(options.pattern, options.replace))
    return 0


if __name__ == "__main__":
    sys.exit(main())
