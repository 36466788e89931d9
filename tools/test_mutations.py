#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""The mutations of a sample text, stated as the lines that they make; the list of survivors; the runs of mutants.

Each text states all of its mutations: one that states none is a control, where the same text is not to be changed.
"""

import argparse
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import re
import select
import tempfile
import unittest
import unittest.mock

import mutant_programs
import mutations


def loaded(path):
    loader = importlib.machinery.SourceFileLoader(path.stem, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.stem, loader))
    loader.exec_module(module)
    return module


mutants = loaded(mutant_programs.ROOT / "tools/mutants")


def function(body, head="void room::f(int a, int b)"):
    return f"{head}\n{{\n{body}\n}}\n"


def mutations_of(text):
    return list(mutations.mutations_of("src/x.cpp", text))


# Kind, a line, what it becomes.
FOUND = (
    ("relation", "return a < b;", "return a <= b;"),
    ("relation", "return a >= b;", "return a > b;"),
    ("relation", "return a == b;", "return a != b;"),
    ("relation", "return a\n  != b;", "== b;"),
    ("logic", "return x && y;", "return x || y;"),
    ("logic", "return x\n  || y;", "&& y;"),
    ("sign", "return a + b;", "return a - b;"),
    ("sign", "return a - b;", "return a + b;"),
    ("constant", "return 0;", "return 1;"),
    ("constant", "return 1ul;", "return 0ul;"),
    ("constant", "return true;", "return false;"),
    ("constant", "int x = 0;", "int x = 1;"),
    ("constant", "const flags f = {false};", "const flags f = {true};"),
    ("condition", "if (x)\n  return;", "if (!(x))"),
    ("condition", "while (!x)\n{\n}", "while (!(!x))"),
    ("condition", "do\n{\n} while (x.y(z));", "} while (!(x.y(z)));"),
    ("statement", "g(a);", ";"),
    ("statement", "a::b<c>(d)->e(f)[2] = h;", ";"),
    ("statement", "x->y.z |= 2;", ";"),
    ("statement", "*x = *y;", ";"),
    ("statement", "static_cast<job&>(*j).g();", ";"),
    ("statement", "std::memcpy(x,\n  y, z);", ";"),
    ("statement", "if constexpr (x)\n  g();", ";"),
    ("statement", "for (auto& x : y)\n  g(x);", ";"),
    ("statement", "switch (x)\n{\ncase c::d:\n  g();\n}", ";"),
)
# Lines of which nothing is mutated.
LEFT_ALONE = (
    "// if (a == b) g(true);",
    "/* return a < b\n&& c; */",
    'const char* s = "a == b && 0"; // "',
    "char c = '0', d = '\\'';",
    'auto s = R"(if (a == 0)\n " g();)";',
    "#if A == 0 && \\\n  B < 1\n#endif",
    "#include <a/0.hpp>",
    "static_assert(a == 0 && b, \"x\");",
    "BOOST_ASSERT(a == 0 || g(1));",
    "BOOST_ASSERT_MSG(\n  a == 0, \"0\");",
    "std::lock_guard<sys::mutex> lock(mutex_);",
    "const lock_guard lock(mutex_);",
    "leave_guard leaves(t);",
    "posting p = put(job);",
    "auto&& x = y;",
    "int& x = y;",
    "char* x = y;",
    "std::array<char, 16> x = {};",
    "f<1000>(0x10, 10, 1'000), g;",
    "template <class T> using u = v<T>;",
    "using x::y;",
    "return a << b;",
    "return -b;",
    "throw x(y);",
    "delete x;",
    "break;",
    "word_.store(w, std::memory_order_release), v;",
)


class Mutations(unittest.TestCase):
    maxDiff = None

    def expect(self, text, *expected):
        """Kind and the changed text's lines."""
        found = [(m.kind, mutations.change(text, m)[1]) for m in mutations_of(text)]
        self.assertEqual(found, list(expected))

    def test_each_kind(self):
        for kind, line, new in FOUND:
            with self.subTest(line=line):
                self.expect(function(line), (kind, new))

    def test_what_is_left_alone(self):
        for line in LEFT_ALONE:
            with self.subTest(line=line):
                self.expect(function(line))

    def test_a_change_is_found_once(self):
        """The negation of a comparison, or of a constant, is that of its operator, or the other constant."""
        self.expect(function("if (a == b)\n  return;"), ("relation", "if (a != b)"))
        self.expect(function("while (true)\n{\n}"), ("constant", "while (false)"))
        self.expect(function("if (a == b || x)\n  return;"), ("condition", "if (!(a == b || x))"),
                    ("relation", "if (a != b || x)"), ("logic", "if (a == b && x)"))

    def test_conditions_that_declare(self):
        self.expect(function("while (job* j = next())\n  g(j);"), ("statement", ";"))
        self.expect(function("if (x y = z; y)\n{\n}"))

    def test_statements_in_statements(self):
        self.expect(function("g([this] { run(); });"), ("statement", ";"), ("statement", "g([this] { ; });"))
        self.expect(function("++x;"), ("sign", "--x;"), ("statement", ";"))

    def test_returns(self):
        text = "return x(y);"
        for head in ("bool f() noexcept", "template <class T>\nbool a::f(\n  int)", "static bool f()"):
            self.expect(function(text, head), ("return", "return !(x(y));"))
        for head in ("int f()", "boolean f()", "std::vector<bool> f()"):
            self.expect(function(text, head))

    def test_functions(self):
        """Outside of them nothing is mutated; inside, the name is that of the function."""
        self.expect("constexpr int x = 0;\nstruct s\n{\n  int y = 1;\n};\nnamespace {\nenum e { a = 0 };\n}\n")
        for head, name in (("void a::b(int)", "a::b"), ("a::~a()", "a::~a"),
                           ("a::a()\n  : b(0)\n  , c(1)", "a::a"),
                           ("template <class T>\nauto f(T t) -> decltype(t())", "f"),
                           ("bool a::operator==(a b)", "a::operator==")):
            found = mutations_of("struct s\n{\n" + function("  g();", head) + "};\n" + function("h();"))
            self.assertEqual([m.function for m in found], [name, "room::f"])

    def test_branches_that_are_not_compiled(self):
        text = "#if defined(X)\n{}#else\n{}#endif\n{}"
        one, other, third = (function("g();", f"void {name}()") for name in "abc")
        found = mutations_of(text.format(one, other, third))
        self.assertEqual([m.function for m in found], ["a", "c"])
        nested = text.format("#if Y\n#else\nvoid x();\n#endif\n" + one, "#if Y\n" + other + "#endif\n", third)
        self.assertEqual([m.function for m in mutations_of(nested)], ["a", "c"])

    def test_drawing(self):
        found = mutations_of(function("\n".join(f"g{i}();" for i in range(50))))
        self.assertEqual(len(found), 50)
        drawn = mutations.draw(found, 20, 7)
        self.assertEqual(drawn, mutations.draw(found, 20, 7))
        self.assertEqual(len(set(drawn)), 20)
        self.assertNotEqual(drawn, mutations.draw(found, 20, 8))
        self.assertEqual(sorted(mutations.draw(found, 99, 7)), sorted(found))

    def test_how_it_is_shown(self):
        text = function("x();\n  g(a,\n    b);")
        m = mutations_of(text)[1]
        self.assertEqual(mutations.lines_of(text, m), (4, 5))
        self.assertEqual(mutations.shown(text, m), "src/x.cpp room::f\n- g(a, b);\n+ ;\n")
        self.assertEqual(mutations.mutated(text, m), function("x();\n  ;"))


class Survivors(unittest.TestCase):
    TEXT = function("if (x)\n  g();\nif (x)\n  h();")
    ENTRY = "src/x.cpp room::f\n- if (x)\n+ if (!(x))\nNo test\ncan see it.\n"

    def known(self, listed):
        found = mutations_of(self.TEXT)
        named, stale = mutations.known(list(mutations.entries_of(listed)), {"src/x.cpp": self.TEXT}, found)
        return [found.index(m) for m in found if m in named], [entry.line for entry in stale]

    def test_entries(self):
        second = self.ENTRY.replace("- if (x)", "- g();").replace("+ if (!(x))", "+ ;")
        entries = list(mutations.entries_of("# A comment.\n\n" + self.ENTRY + "\n\n" + second))
        self.assertEqual(entries[0], (3, "src/x.cpp", "room::f", "if (x)", "if (!(x))", "No test can see it."))
        self.assertEqual([entry.line for entry in entries], [3, 10])
        self.assertEqual(list(mutations.entries_of("# Nothing is known.\n")), [])

    def test_what_they_name(self):
        self.assertEqual(self.known(""), ([], []))
        self.assertEqual(self.known(self.ENTRY), ([0, 2], []))

    def test_one_that_names_nothing(self):
        for old, new in (("if (x)", "if (y)"), ("!(x)", "!(y)"), ("room::f", "room::g"), ("src/x", "src/y")):
            self.assertEqual(self.known("\n" + self.ENTRY.replace(old, new)), ([], [2]))

    def test_one_that_is_not_whole(self):
        for text in (self.ENTRY.replace("No test\ncan see it.\n", ""), self.ENTRY.replace("+ ", ""),
                     self.ENTRY.replace(" room::f", ""), self.ENTRY.replace("room::f\n", "room::f\n\n")):
            with self.assertRaisesRegex(ValueError, "^line 1: not a file and a function, "):
                list(mutations.entries_of(text))


class Runs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.log = self.folder / "log"

    def run_script(self, script, seconds=60):
        command = ["bash", "-c", script]
        status = mutant_programs.run_limited(command, self.log, seconds, dict(os.environ), self.folder)
        return mutant_programs.symptom(status, self.log)

    def test_symptoms(self):
        for script, expected in (
            ("true", ""), ("exit 201", "status 201"), ("kill -SEGV $$", "signal 11"),
            ('echo \'x.cpp(1): error: in "s/c": check\'; exit 1', "status 1: s/c"),
            ('echo "scenario: 3 schedules"; echo "failed: a data race"; exit 1', "status 1: a data race"),
            ('echo \'Entering test case "a"\'; echo \'Entering test case "b"\'; kill -ABRT $$', "signal 6: b"),
        ):
            self.assertEqual(self.run_script(script), expected)

    def test_a_run_without_end(self):
        """Its whole group ends with it, as after a run that leaves a process behind."""
        os.mkfifo(self.folder / "alive")
        for script, expected in (("sleep 1000 & wait", "does not end"), ("sleep 1000 &", "")):
            reader = os.open(self.folder / "alive", os.O_RDONLY | os.O_NONBLOCK)
            self.assertEqual(self.run_script("exec 3> alive; " + script, 1 if expected else 60), expected)
            # At its end once no process has it open for writing.
            self.assertEqual(select.select([reader], [], [], 60)[0], [reader])
            self.assertEqual(os.read(reader, 1), b"")
            os.close(reader)

    def test_limits(self):
        self.assertEqual(self.run_script("ulimit -v; ulimit -c; read -r x || echo closed"), "")
        self.assertEqual(self.log.read_text(), f"{mutant_programs.MOST_MEMORY >> 10}\n0\nclosed\n")
        self.assertNotEqual(self.run_script("yes"), "")
        self.assertEqual(self.log.stat().st_size, mutant_programs.MOST_OUTPUT)

    def test_each_suite_is_run(self):
        """By the run of its room, but for those that are only run where they are named."""
        for room in mutant_programs.ROOMS:
            texts = [path.read_text() for path in (mutant_programs.ROOT / "test" / room).glob("*.cpp")]
            suites = [suite for text in texts for suite in re.findall(r"TEST_SUITE\(\s*(test_\w+)", text)]
            self.assertTrue(suites)
            left_out = set(suites) - set(mutant_programs.suites_of(room))
            self.assertEqual({s for s in left_out if not s.startswith("test_planted_")}, set())


class Verdicts(unittest.TestCase):
    TEXT = function("g();\nh();")

    def judge(self, notices, listed=()):
        """What is printed, the counts, and whether all is as listed, where NOTICES come for the mutations."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        options = argparse.Namespace(keep=pathlib.Path(folder.name), programs=[], jobs=2, seed=7)
        found = mutations_of(self.TEXT)
        by = dict(zip(found, notices))
        programs = unittest.mock.Mock(folder=options.keep, noticed=lambda m, text, place: by[m])
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            with unittest.mock.patch.object(mutant_programs, "Programs", return_value=programs):
                counts, is_good = mutants.run_mutants(
                    options, dict(enumerate(found, 1)), {found[i] for i in listed}, {"src/x.cpp": self.TEXT})
            mutants.report(options, counts, found, [], 1)
        return printed.getvalue(), is_good

    def expect(self, verdict, is_good, *texts):
        for text in texts:
            self.assertIn(text, verdict[0])
        self.assertEqual(verdict[1], is_good)

    def test_what_is_told(self):
        killed = "unit/core, status 201: s/c"
        self.expect(self.judge([killed, None]), True, "1: src/x.cpp:3 statement: killed by " + killed + ", ",
                    "2: src/x.cpp:4 statement: did not compile, ",
                    "seed 7, 2 drawn: 1 did not compile, 1 killed (unit/core 1), 0 survive as is known, 0 survived")
        self.expect(self.judge(["", killed]), False, "src/x.cpp room::f\n- g();\n+ ;\n", "known, 1 survived")
        self.expect(self.judge(["", killed], listed=[0]), True, "1 survive as is known, 0 survived")
        self.expect(self.judge(["", killed], listed=[0, 1]), False, "is listed in tools/mutants.survivors, but killed")

    def test_the_rest_of_a_draw(self):
        found = mutations_of(self.TEXT)
        options = argparse.Namespace(only=None, count=2, seed=7, begin=1)
        whole = mutants.chosen(found, {}, options)
        self.assertEqual(sorted(whole), sorted(found))
        options.begin = 2
        self.assertEqual(mutants.chosen(found, {}, options), whole[1:])

    def test_those_of_a_line(self):
        found = mutations_of(self.TEXT)
        options = argparse.Namespace(only="src/x.cpp:4")
        self.assertEqual(mutants.chosen(found, {"src/x.cpp": self.TEXT}, options), found[1:])
        options.only = "src/x.cpp:5"
        with self.assertRaisesRegex(ValueError, "no mutation of src/x.cpp:5"):
            mutants.chosen(found, {"src/x.cpp": self.TEXT}, options)


if __name__ == "__main__":
    unittest.main()
