#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check that the pages and the packages state the version of the library.

usage: check_version.py [TREE]      (default: the tree that contains this script)

INTERLOCK_VERSION is the version; CMake, b2 and Conan read it there. Each other place has to agree with it.

Exit status 0: no fault; 1: each has been printed as FILE:LINE: TEXT.
"""

import os
import re
import sys

from check_layers import line_of, report, root_of_tree

CONFIG = "include/interlock/config.hpp"
DEFINITION = re.compile(r"^#define INTERLOCK_VERSION (\d+)$", re.M)
# Path, what precedes the version, whether all three numbers stand there. The first match counts.
PLACES = (
    ("doc/interlock.qbk", r"^ *\[version ", False),
    ("doc/history.qbk", r"^\[heading ", True),
    ("packaging/debian/changelog", r"\A\w+ \(", True),
    ("packaging/debian/control", r"^Package: libinterlock", False),
    ("packaging/debian/control", r"^ libinterlock", False),
    ("packaging/vcpkg/interlock/vcpkg.json", r'^  "version": "', True),
    ("test/consumer/CMakeLists.txt", r"find_package\(interlock ", False),
)


def version_in(text):
    """Returns the version as MAJOR.MINOR.PATCH."""
    number = int(DEFINITION.search(text)[1])
    return f"{number // 100000}.{number // 100 % 1000}.{number % 100}"


def faults_of(path, text, before, expected):
    found = re.search(rf"{before}(\d+(?:\.\d+)+)", text, re.M)
    if not found:
        yield f"{path}:1: states no version"
    elif found[1] != expected:
        yield f"{path}:{line_of(text, found.start(1))}: states {found[1]} instead of {expected}"


def main():
    root = root_of_tree()

    def read(path):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()

    version = version_in(read(CONFIG))
    minor = version.rpartition(".")[0]
    faults = [fault for path, before, whole in PLACES
              for fault in faults_of(path, read(path), before, version if whole else minor)]
    # The name of Debian's package is that of its list of files.
    if not os.path.exists(os.path.join(root, f"packaging/debian/libinterlock{minor}.install")):
        faults.append(f"packaging/debian: has no libinterlock{minor}.install")
    return report("check_version", f"{version}, {len(PLACES)} places", faults)


if __name__ == "__main__":
    sys.exit(main())
