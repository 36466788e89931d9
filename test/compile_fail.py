#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check that programs which must not compile are rejected for the stated reason.

usage: compile_fail.py FILE... [-- COMPILER [FLAG...]]     (default compiler: $CXX or c++)

Each FILE says what it expects in comments of a line each:
  // expect: TEXT       compiling fails and TEXT is in the compiler's output
  // expect: A | B      one of the texts is
  // expect with FLAG in N lines: TEXT
                        with FLAG after the flags of the command; the output has N lines at most.
                        Each of the two may be left out, and each such comment must hold
  // control            with -DEXPECT_OK the same file compiles: what it includes and how it is
                        compiled is in order, only the forbidden line is not
"""

import os
import re
import shlex
import subprocess
import sys

EXPECT = re.compile(r"^// expect(?: with (-\S+))?(?: in (\d+) lines)?: (.*\S)\s*$", re.MULTILINE)
CONTROL = re.compile(r"^// control\s*$", re.MULTILINE)


def split_arguments(arguments):
    """Returns the files and the compiler's command."""
    if "--" in arguments:
        cut = arguments.index("--")
        files, command = arguments[:cut], arguments[cut + 1 :]
    else:
        files, command = arguments, shlex.split(os.environ.get("CXX", "c++"))
    if not files or not command:
        sys.exit(__doc__)
    return files, command


def compile_file(command, file, *flags):
    """Returns whether FILE compiles, and what the compiler said."""
    done = subprocess.run(
        [*command, *flags, "-fsyntax-only", file],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    return done.returncode == 0, done.stdout.decode(errors="replace")


def problem_with_rejection(command, file, lines, texts):
    """Returns what is wrong with the rejection of FILE, with the compiler's output, or None."""
    compiled, output = compile_file(command, file)
    if compiled:
        return "compiles, but must not", output
    if not any(text in output for text in texts.split(" | ")):
        return f"is rejected, but the compiler does not say '{texts}'", output
    said = len(output.splitlines())
    if lines and said > int(lines):
        return f"is rejected in {said} lines, more than {lines}", output
    return None


def problem_with(command, file):
    """Returns what is wrong with one case, with the compiler's output, or None."""
    with open(file, encoding="utf-8") as source:
        text = source.read()
    expected = EXPECT.findall(text)
    if not expected:
        return "has no line '// expect: TEXT'", ""
    for flag, lines, texts in expected:
        flagged = [*command, flag] if flag else command
        problem = problem_with_rejection(flagged, file, lines, texts)
        if not problem and CONTROL.search(text):
            compiled, output = compile_file(flagged, file, "-DEXPECT_OK")
            problem = None if compiled else ("does not compile with EXPECT_OK either", output)
        if problem:
            return problem
    return None


def main():
    files, command = split_arguments(sys.argv[1:])
    failed = 0
    for file in files:
        problem = problem_with(command, file)
        if problem:
            failed += 1
            print(f"{file}: {problem[0]}\n{problem[1]}", end="")
    print(f"compile_fail: {len(files) - failed} of {len(files)} as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
