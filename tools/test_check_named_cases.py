#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Planted violations: check_named_cases.py must report each, in these words, and nothing else."""

import os
import subprocess
import sys
import tempfile
import unittest

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check_named_cases.py")
TESTS = """
BOOST_AUTO_TEST_SUITE(test_one)
BOOST_AUTO_TEST_CASE(simple) {}
BOOST_FIXTURE_TEST_CASE(with_fixture, fixture) {}
BOOST_FIXTURE_TEST_CASE_TEMPLATE(
  on_the_next_line, Kind, kinds, fixture<Kind>)
// BOOST_AUTO_TEST_CASE(commented_out) {}
/* BOOST_AUTO_TEST_CASE(commented_out)
   {} */
BOOST_AUTO_TEST_SUITE_END()
BOOST_FIXTURE_TEST_SUITE(test_two, fixture)
BOOST_AUTO_TEST_CASE(of_the_second) {}
BOOST_AUTO_TEST_SUITE_END()
"""


class CheckNamedCases(unittest.TestCase):
    def expect(self, text, names, *reports):
        """TEXT is a page. The output is REPORTS and the closing line, exactly."""
        tree = {"doc/page.qbk": text, "doc/notes.txt": "test_one/none", "test/unit/a.cpp": TESTS}
        with tempfile.TemporaryDirectory() as root:
            for path, content in tree.items():
                place = os.path.join(root, path)
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "w", encoding="utf-8") as file:
                    file.write(content)
            done = subprocess.run(
                [sys.executable, CHECK, root], stdout=subprocess.PIPE, text=True, check=False
            )
        closing = f"check_named_cases: {names} names, {len(reports)} faults"
        self.assertEqual(done.stdout.splitlines(), [*reports, closing])
        self.assertEqual(done.returncode, 1 if reports else 0)

    def test_cases_that_are_there(self):
        self.expect("[^test_one/simple], [^test_one/with_fixture]\ntest_one/on_the_next_line", 3)
        self.expect("[^test_two/of_the_second].", 1)

    def test_what_is_no_name_of_a_case(self):
        self.expect("[^test/unit/none.cpp] a/test_one/none tools/test_one test_one", 0)

    def test_a_case_that_is_not_there(self):
        self.expect(
            "\n[^test_one/none]",
            1,
            "doc/page.qbk:2: names test_one/none, which does not exist",
        )

    def test_a_suite_that_is_not_there(self):
        self.expect(
            "[^test_none/simple]",
            1,
            "doc/page.qbk:1: names test_none/simple, which does not exist",
        )

    def test_a_case_of_another_suite(self):
        self.expect(
            "[^test_one/of_the_second]",
            1,
            "doc/page.qbk:1: names test_one/of_the_second, which does not exist",
        )

    def test_a_part_of_a_name(self):
        self.expect(
            "[^test_one/simp]",
            1,
            "doc/page.qbk:1: names test_one/simp, which does not exist",
        )

    def test_a_case_that_is_commented_out(self):
        self.expect(
            "[^test_one/commented_out]",
            1,
            "doc/page.qbk:1: names test_one/commented_out, which does not exist",
        )

    def test_each_of_two_in_a_line(self):
        self.expect(
            "test_one/a test_one/simple test_one/b",
            3,
            "doc/page.qbk:1: names test_one/a, which does not exist",
            "doc/page.qbk:1: names test_one/b, which does not exist",
        )


if __name__ == "__main__":
    unittest.main()
