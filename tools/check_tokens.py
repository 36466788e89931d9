#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Hold the table of doc/tokens.qbk against the tests.

usage: check_tokens.py [TOP]

  * each suite, or suite/case, that a row names exists in test/
  * a suite of test/tokens/*.cpp is in the table, and each token has a suite
  * the version of Boost in the row of such a suite is what its file asks for

Exit status 0: no fault; 1: each has been printed.
"""

import os
import re
import sys

from check_named_cases import cases_below, read

# The version of Asio by which a file asks for a version of Boost.
ASIO = {None: "1.74", "102000": "1.77", "102600": "1.81", "102700": "1.82", "103100": "1.86"}

NAME = re.compile(r"\[\^(test_\w+(?:/\w+)?)\]")
VERSION = re.compile(r"\[(\d+\.\d+)\]\s*\]\s*$")
SUITE = re.compile(r"BOOST_(?:AUTO|FIXTURE)_TEST_SUITE\(\s*(\w+)")
GUARD = re.compile(r"^#if BOOST_ASIO_VERSION >= (\d+)\n", re.MULTILINE)


def suites_below(folder):
    """Returns the text of the file of each suite."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".cpp"):
                text = read(os.path.join(where, name))
                found.update((suite, text) for suite in SUITE.findall(text))
    return found


def rows_of(page):
    """Returns the rows of the table, without its head."""
    table = page.partition("[table")[2].partition("\n]\n")[0]
    return re.split(r"^    (?=\[)", table, flags=re.MULTILINE)[2:]


def faults_of_row(row, suites, cases):
    names, version = NAME.findall(row), VERSION.search(row)
    if not names or not version:
        yield "a row without a test, or without a version: " + " ".join(row.split())
        return
    for name in names:
        suite, _, case = name.partition("/")
        if suite not in suites:
            yield f"names the suite {suite}, which does not exist"
        elif case and name not in cases:
            yield f"names the case {name}, which does not exist"
        elif suite.startswith("test_tokens_"):
            # What stands around the whole file.
            guard = GUARD.search(suites[suite].split('#include "support')[0])
            whole = guard and suites[suite].rstrip().endswith("#endif")
            needed = ASIO.get(guard.group(1) if whole else None, "unknown")
            if needed != version.group(1):
                yield f"says {version.group(1)} of {suite}, which is for Boost {needed}"


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    page = read(os.path.join(top, "doc", "tokens.qbk"))
    suites = suites_below(os.path.join(top, "test"))
    cases = cases_below(os.path.join(top, "test"))
    rows = rows_of(page)
    faults = [fault for row in rows for fault in faults_of_row(row, suites, cases)]
    named = {name.partition("/")[0] for name in NAME.findall(page)}
    faults += [
        f"does not name {suite}"
        for suite in sorted(suites)
        if suite.startswith("test_tokens_") and suite not in named
    ]
    for fault in faults:
        print(f"doc/tokens.qbk: {fault}")
    print(f"check_tokens: {len(rows)} rows, {len(faults)} faults")
    return 1 if faults or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
