#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check the tests and the program that the pages name.

usage: check_named_cases.py [TREE]      (default: the tree that contains this script)

  * each test_SUITE/CASE that a page of doc/ names exists in test/; one in a comment does not
  * each row of the table in doc/tokens.qbk names a suite that exists, and a version of Boost
  * that version is what the file of the suite, test_tokens_..., asks for
  * each suite test_tokens_... is in the table
  * the program in README.md is the one in example/readme.cpp

Exit status 0: no fault; 1: each has been printed as FILE:LINE: TEXT.
"""

import re
import sys

from check_layers import line_of, read_tree, report, root_of_tree, without_comments

TOKENS = "doc/tokens.qbk"
NAMED = re.compile(r"(?<![\w/])test_\w+/\w+")
ROW_NAME = re.compile(r"\[\^(test_\w+)")
ROW_VERSION = re.compile(r"\[(\d+\.\d+)\]\s*\]\s*$")
DEFINED = re.compile(
    r"\bBOOST_(?:AUTO|FIXTURE|DATA)_TEST_(SUITE|CASE)\w*\(\s*(\w+)|\bBOOST_AUTO_TEST_SUITE_END\(")
# The version of Asio by which a file asks for a version of Boost.
ASIO = {None: "1.74", "102000": "1.77", "102600": "1.81", "102700": "1.82", "103100": "1.86"}
PROGRAM = re.compile(r"```cpp\n(.*?)```", re.S)
GUARD = re.compile(r"^#if BOOST_ASIO_VERSION >= (\d+)\n", re.M)


def defined_in(text):
    """Yields SUITE and SUITE/CASE of each suite and case that TEXT defines."""
    suites = []
    for found in DEFINED.finditer(without_comments(text)):
        if not found[1]:
            suites.pop()
        else:
            yield "/".join([*suites, found[2]])
            if found[1] == "SUITE":
                suites.append(found[2])


def boost_of(text):
    """Returns the version of Boost for which the whole of a test file is compiled."""
    guard = GUARD.search(text.split('#include "support')[0])
    whole = guard and text.rstrip().endswith("#endif")
    return ASIO.get(guard[1] if whole else None, "unknown")


def faults_of_row(row, tests):
    suites, version = ROW_NAME.findall(row), ROW_VERSION.search(row)
    if not suites or not version:
        yield "a row without a test, or without a version: " + " ".join(row.split())
        return
    for suite in suites:
        if suite not in tests:
            yield f"names the suite {suite}, which does not exist"
        elif suite.startswith("test_tokens_") and boost_of(tests[suite]) != version[1]:
            yield f"says {version[1]} of {suite}, which is for Boost {boost_of(tests[suite])}"


def rows_of(page):
    """Returns the rows of the table, without its head."""
    return re.split(r"^    (?=\[)", page.partition("[table")[2].partition("\n]\n")[0], flags=re.M)[2:]


def faults_of(tree):
    tests = {
        name: text for path, text in tree.items() if re.match(r"test/.*\.[hc]pp$", path)
        for name in defined_in(text)}
    faults = []
    for page, text in tree.items():
        for found in NAMED.finditer(text if re.fullmatch(r"doc/\w+\.qbk", page) else ""):
            if found[0] not in tests:
                faults.append(f"{page}:{line_of(text, found.start())}: no such case: {found[0]}")
    shown = PROGRAM.search(tree["README.md"])
    if not shown or f"//[readme\n{shown[1]}//]" not in tree["example/readme.cpp"]:
        faults.append("README.md:1: its program is not that of example/readme.cpp")
    rows = rows_of(tree[TOKENS])
    found = [] if rows else ["has no rows"]
    found += [fault for row in rows for fault in faults_of_row(row, tests)]
    missing = {name for name in tests if re.fullmatch(r"test_tokens_\w+", name)}
    found += [f"does not name {suite}" for suite in sorted(missing - set(ROW_NAME.findall("".join(rows))))]
    return faults + [f"{TOKENS}:1: {fault}" for fault in found]


def main():
    tree = read_tree(root_of_tree())
    names = sum(len(NAMED.findall(tree[page])) for page in tree if page.endswith(".qbk"))
    return report("check_named_cases", f"{names} names", faults_of(tree))


if __name__ == "__main__":
    sys.exit(main())
