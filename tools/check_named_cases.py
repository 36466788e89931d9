#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check that each test case that the documentation names exists.

usage: check_named_cases.py [TOP]      (the source tree; by default the one this file is in)

A name is SUITE/CASE, in doc/*.qbk, with a suite that begins with "test_"; the cases are those of
Boost.Test in test/. One that is commented out does not count.

Exit status 0: no fault; 1: each has been printed as FILE:LINE: TEXT.
"""

import os
import re
import sys

NAMED = re.compile(r"(?<![\w/])test_\w+/\w+")
DEFINED = re.compile(
    r"\bBOOST_(?:AUTO|FIXTURE|DATA)_TEST_(?P<kind>SUITE|CASE)\w*\(\s*(?P<name>\w+)"
    r"|\bBOOST_AUTO_TEST_SUITE_(?P<end>END)\(")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def cases_of(text):
    suites = []
    for found in DEFINED.finditer(COMMENT.sub(" ", text)):
        if found["end"]:
            suites = suites[:-1]
        elif found["kind"] == "SUITE":
            suites.append(found["name"])
        else:
            yield "/".join([*suites, found["name"]])


def cases_below(folder):
    found = set()
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".cpp", ".hpp")):
                found.update(cases_of(read(os.path.join(where, name))))
    return found


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    there = cases_below(os.path.join(top, "test"))
    named, faults = 0, []
    for page in sorted(os.listdir(os.path.join(top, "doc"))):
        if not page.endswith(".qbk"):
            continue
        for number, line in enumerate(read(os.path.join(top, "doc", page)).split("\n"), 1):
            for case in NAMED.findall(line):
                named += 1
                if case not in there:
                    faults.append(f"doc/{page}:{number}: names {case}, which does not exist")
    for fault in faults:
        print(fault)
    print(f"check_named_cases: {named} names, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
