#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""The checking scripts themselves: mutate.py, check_tokens.py, compile_fail.py, expect_failure.py and
members/check.py must fail whenever what they look for is missing, since nobody would notice a check that
always passes."""

import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
REJECTED = "int main() { return undeclared_name; }\n"


class ScriptTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def expect(self, status, text, script, *arguments):
        done = subprocess.run(
            [sys.executable, os.path.join(ROOT, script), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, status, done.stdout)
        self.assertIn(text, done.stdout)


class Mutate(ScriptTest):
    def mutate(self, status, text, pattern, replacement, target="out/x.hpp"):
        source = self.write("x.hpp", "if (a == 0)\n  b();\nif (c)\n  b();\n")
        self.expect(
            status, text, "tools/mutate.py", "--in", source, "--out", self.path(target),
            "--pattern", pattern, "--replace", replacement)

    def test_the_one_place_is_replaced(self):
        self.mutate(0, "", "a == 0", "true")
        with open(self.path("out/x.hpp"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "if (true)\n  b();\nif (c)\n  b();\n")

    def test_a_pattern_that_is_gone(self):
        self.mutate(1, "'a == 1' occurs 0 times", "a == 1", "true")
        self.assertFalse(os.path.exists(self.path("out/x.hpp")))

    def test_a_pattern_that_is_not_the_only_one(self):
        self.mutate(1, "'b();' occurs 2 times", "b();", "c();")

    def test_a_mutation_that_changes_nothing(self):
        self.mutate(1, "empty or equal", "a == 0", "a == 0")
        self.mutate(1, "empty or equal", "", "true")

    def test_the_source_is_never_overwritten(self):
        self.mutate(1, "the same file", "a == 0", "true", target="x.hpp")


class CompileFail(ScriptTest):
    def check(self, status, text, program):
        self.expect(status, text, "test/compile_fail.py", self.write("x.cpp", program), "--", "c++")

    def test_a_rejection_for_the_stated_reason(self):
        self.check(0, "1 of 1 as expected", "// expect: undeclared_name\n" + REJECTED)

    def test_a_rejection_for_another_reason(self):
        self.check(1, "does not say 'no member named'", "// expect: no member named\n" + REJECTED)

    def test_a_program_that_compiles(self):
        self.check(1, "compiles, but must not", "// expect: x\nint main() {}\n")

    def test_a_case_without_an_expectation(self):
        self.check(1, "has no line '// expect: TEXT'", REJECTED)

    def test_the_control(self):
        head = "// expect: undeclared_name\n// control\n"
        sound = f"#ifdef EXPECT_OK\nint main() {{}}\n#else\n{REJECTED}#endif\n"
        self.check(0, "1 of 1 as expected", head + sound)
        self.check(1, "does not compile with EXPECT_OK either", head + REJECTED)


class ExpectFailure(ScriptTest):
    def check(self, status, text, program):
        self.expect(status, text, "test/expect_failure.py", "^bad: .*", "--", "sh", "-c", program)

    def test_the_expected_failure(self):
        self.check(0, "noticed: bad: news", "echo good; echo bad: news; exit 1")

    def test_a_failure_without_the_symptom(self):
        self.check(1, "no line matches", "echo not bad: news; exit 1")

    def test_a_crash_without_the_symptom(self):
        self.check(1, "status -9", "kill -9 $$")

    def test_a_success_with_the_symptom(self):
        self.check(1, "the program succeeded", "echo bad: news")


class CheckTokens(ScriptTest):
    ROW = "    [[`a`] [[^test_tokens_a/case]] [1.81]]\n"
    GUARD = "#if BOOST_ASIO_VERSION >= 102600\n"

    def check(self, status, text, rows, guard=GUARD):
        for folder in ("doc", "test"):
            os.makedirs(self.path(folder), exist_ok=True)
        self.write("doc/tokens.qbk", f"[table T\n    [[What] [Suite] [From]]\n{rows}]\n")
        self.write(
            "test/a.cpp",
            f"{guard}BOOST_AUTO_TEST_SUITE(test_tokens_a)\n"
            "BOOST_AUTO_TEST_CASE_TEMPLATE(case, T, list)\n" + ("#endif\n" if guard else ""))
        self.expect(status, text, "tools/check_tokens.py", self.folder)

    def test_a_table_that_is_right(self):
        self.check(0, "1 rows, 0 faults", self.ROW)
        self.check(0, "1 rows, 0 faults", self.ROW.replace("1.81", "1.74"), guard="")
        self.check(0, "1 rows, 0 faults", self.ROW.replace("[[`", "[\n        [`"))

    def test_a_suite_or_case_that_is_gone(self):
        self.check(1, "the suite test_tokens_b, which", self.ROW + self.ROW.replace("_a/", "_b/"))
        self.check(1, "the case test_tokens_a/other, which", self.ROW.replace("/case", "/other"))

    def test_a_suite_that_is_not_named(self):
        self.check(1, "does not name test_tokens_a", "    [[`a`] [[^test_b]] [1.81]]\n")

    def test_another_version_than_that_of_the_file(self):
        self.check(1, "says 1.74 of test_tokens_a, which is for Boost 1.81",
                   self.ROW.replace("1.81", "1.74"))
        self.check(1, "says 1.81 of test_tokens_a, which is for Boost 1.74", self.ROW, guard="")

    def test_a_row_that_says_nothing(self):
        self.check(1, "without a test, or without a version", self.ROW + "    [[`b`] [] [1.81]]\n")
        self.check(1, "without a test, or without a version",
                   self.ROW.replace("[1.81]", "[]"))

    def test_no_table(self):
        self.check(1, "0 rows", "")


class MembersPage(ScriptTest):
    def check(self, status, text, page, *options, prints="echo one; echo two"):
        program = self.write("program", "#!/bin/sh\n" + prints + "\n")
        os.chmod(program, 0o755)
        path = self.write("page", page)
        self.expect(status, text, "test/members/check.py", *options, program, path)
        with open(path, encoding="utf-8") as file:
            return file.read()

    def test_a_page_that_is_what_the_program_prints(self):
        self.check(0, "", "one\ntwo\n")

    def test_a_page_that_is_stale(self):
        self.assertEqual(self.check(1, "-three", "one\nthree\n"), "one\nthree\n")

    def test_a_page_that_is_written_anew(self):
        self.assertEqual(self.check(0, "", "one\n", "--write"), "one\ntwo\n")

    def test_a_program_that_prints_nothing(self):
        self.check(1, "prints nothing", "", prints=":")


if __name__ == "__main__":
    unittest.main()
