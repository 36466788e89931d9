#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Planted violations: each checking script reports each of them, and nothing else.

A case starts from a small tree without faults, changes one file, and states all reports. Cases that
state none are the controls: the same text where it is allowed, or where it is not code.
"""

import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import check_layers
import check_named_cases

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = "// SPDX-License-Identifier: BSL-1.0\n"


def header(path, body):
    """BODY begins in line 4."""
    guard = path.replace("include/", "").replace("test/", "interlock/test/")
    guard = guard.upper().replace("/", "_").replace(".", "_")
    return f"{HEAD}#ifndef {guard}\n#define {guard}\n{body}\n#endif // {guard}\n"


def write(root, path, text):
    place = pathlib.Path(root, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def run_script(self, status, text, script, *arguments):
        """The script ends with STATUS, and TEXT is in its output."""
        done = subprocess.run([sys.executable, ROOT / script, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        self.assertIn(text, done.stdout)
        self.assertEqual(done.returncode, status, done.stdout)


ROOMS = [f"include/interlock/{name}.hpp" for name in (
    "config", "error", "detail/descriptor/calls", "detail/closing/job", "fd_lease", "close_service",
    "detail/core/tenure", "basic_socket", "ip/tcp", "detail/adapt/layer", "adapt/ssl")]
ERROR, CLOSING, LEASE, TCP, SSL = (ROOMS[room] for room in (1, 3, 4, 8, 10))
GROUP = "include/interlock/detail/groups/group_core.hpp"
SOURCE, TEST, CLOSER = "src/error.cpp", "test/unit/error.hpp", check_layers.CLOSER
CALL = 'extern "C" int close(int); int f(int n) { return close(n); }\n'
DETAIL = "names details of Asio: "


def sound_tree():
    """One file a room, each including the room before it."""
    tree = {
        path: header(path, f"#include <{before[8:]}>") for path, before in zip(ROOMS, [ROOMS[0], *ROOMS])}
    tree["include/interlock.hpp"] = header("include/interlock.hpp", "")
    mirrored = CLOSER.replace("src", "include/interlock").replace(".cpp", ".hpp")
    tree.update({CLOSER: HEAD + CALL, mirrored: header(mirrored, "")})
    tree[SOURCE] = HEAD + "#include <interlock/error.hpp>\n"
    tree[TEST] = header(TEST, "#include <boost/asio.hpp>\n#include <interlock/adapt/ssl.hpp>")
    return {**tree, "README.md": "# Interlock\n", "doc/picture.svg": "<svg/>\n"}


# Path, body, what is reported for the first line of the body.
PLANTED = (
    (ERROR, "#include <interlock/ip/tcp.hpp>", "room 1 may not include room 8: <interlock/ip/tcp.hpp>"),
    (TCP, "#include <interlock/ip/tcp.hpp>\n#include <interlock/error.hpp>", None),
    (ERROR, "// #include <interlock.hpp>\n/*\n#include <interlock.hpp>\n*/", None),
    (LEASE, "# include <boost/asio.hpp> // x", "room 4 may not include Asio: <boost/asio.hpp>"),
    (CLOSING, "#include <asio/buffer.hpp>", "room 3 may not include Asio: <asio/buffer.hpp>"),
    (ERROR, "#include <boost/beast/core.hpp>", "room 1 may not include Asio: <boost/beast/core.hpp>"),
    (LEASE, "#include <boost/asiox.hpp>", None),
    ("include/interlock/close_service.hpp", "#include <boost/asio.hpp>", None),
    (TCP, "#include <boost/asio/detail/x.hpp>", DETAIL + "asio/detail"),
    (TEST, "boost::asio::detail::x y;", DETAIL + "asio::detail"),
    (TEST, "namespace boost::asio { namespace detail {} }", DETAIL + "asio { namespace detail"),
    (TEST, "namespace net = boost::asio; net::detail::x y;", DETAIL + "net::detail"),
    (TEST, "namespace a = boost::asio; namespace b = a; b::detail::x y;", DETAIL + "b::detail"),
    (TEST, "#include HEADER", "an include of a macro cannot be checked"),
    (TEST, "// asio::detail\nasio::details z; my_asio::detail::x w; net::detail::x y;", None),
    (ERROR, '#include "config.hpp"', '"config.hpp" is to be included as <interlock/...>'),
    (TEST, '#include "../interlock/a.hpp"', '"../interlock/a.hpp" is to be included as <interlock/...>'),
    (TEST, '#include "support/interlock_count.hpp"', None),
    (TEST, "#include <interlock/gone.hpp>", "no such header: <interlock/gone.hpp>"),
    (SSL, f"#include <{SSL[8:]}>", f"no file of the library includes an adapter: <{SSL[8:]}>"),
    (TCP, "int f(int n) { return ::close(n); }", "a header calls ::close"),
    (TCP, "int f(int n) { return close_range(n, n, 0); }", "a header calls close_range"),
    (TCP, "int f(int n) { return syscall(SYS_close, n); }", "a header calls SYS_close"),
    (TCP, "auto s = \"/*\"; int i = ::close(1); // \"*/", "a header calls ::close"),
    (TCP, "char c = '\"'; // ::close(1) \"\nauto i = x.close(), b::close(), t<x>::close();", None),
    (TEST, "int f(int n) { return ::close(n); }", None),
    (ERROR, "/* x */ // Whoever closes", "code is no person: Whoever"),
    (LEASE, "/* for one who\nwaits */", "code is no person: who"),
    (ERROR, "int who; // whole, the, this, an object whose end\nconst char* he = \"// he\";", None),
    (CLOSING, "// nobody", "code is no person: nobody"),
    (CLOSING, "std::mutex m;", "does not come from detail::sys: std::mutex"),
    (CLOSING, "std::atomic_signal_fence(o);", "does not come from detail::sys: std::atomic_signal_fence"),
    (CLOSING, "int n = ::poll(nullptr, 0, 0);", "does not come from detail::sys: ::poll"),
    (CLOSING, "thread_local int n;", "does not come from detail::sys: thread_local"),
    (CLOSING, "std::lock_guard<sys::mutex> l(m); sys::poll(p); thread_local sys::per_thread<int> n;", None),
    (TCP, "std::mutex m;", None),
    (GROUP, "std::mutex m;", "does not come from detail::sys: std::mutex"),
    ("include/interlock/detail/groups/group_timers.hpp", "std::mutex m;", None),
    (TEST, "// nobody", "code is no person: nobody"),
    (TEST, "void waits_for_nobody(); // hero, shell, person\nconst char* he = \"somebody\";", None),
)


NO_ROOM = "1: belongs to no room (see ROOMS in tools/check_layers.py)"
NO_LICENCE = "1: has no line 'SPDX-License-Identifier: BSL-1.0' at its top"
# Path, text, what is reported.
PLANTED_FILES = (
    ("include/interlock/stray.hpp", header("include/interlock/stray.hpp", ""), NO_ROOM),
    ("include/interlock/detail/stray.hpp", header("include/interlock/detail/stray.hpp", ""), NO_ROOM),
    ("src/notes.txt", "x\n", NO_ROOM),
    ("src/close_service.cpp", HEAD, "1: room 5 stands beyond the Asio line, so it cannot be in src/"),
    ("src/detail/closing/job.cpp", HEAD, None),
    ("src/detail/closing/x.cpp", HEAD, "1: has no header include/interlock/detail/closing/x.hpp"),
    ("README.md", "A page\nfor everybody\n", "2: code is no person: everybody"),
    ("doc/page.md", "A page\nfor everybody\n", None),
    ("bench/x.cpp", HEAD + "/* for\nsomeone */\n", "3: code is no person: someone"),
    ("example/x.cpp", HEAD + "// She\n", "2: code is no person: She"),
    ("test/x.cpp", HEAD + "// it closes it himself\n", "2: code is no person: himself"),
    ("tools/x.py", HEAD + '"""For\nanybody\n"""\n', "3: code is no person: anybody"),
    ("tools/x.py", HEAD + "x = 'his' # his\n", "2: code is no person: his"),
    ("tools/x.py", HEAD + "he = 'for # him' + \" # her\"\n", None),
    ("tools/x.lua", HEAD + "x = 1 -- of everyone\n", "2: code is no person: everyone"),
    ("tools/x", HEAD + "for who in ${#his}; do x --him; done\n", None),
    ("test/Jamfile", HEAD + "\n# whoever\n", "3: code is no person: whoever"),
    (SOURCE, HEAD + "\n" * 550, "551: has more than 550 lines"),
    (SOURCE, HEAD + "\n" * 549, None),
    ("test/x.cpp", HEAD + "\n" * 550, None),
    ("test/x.cpp", "int x;\n", NO_LICENCE),
    ("tools/x", "#!/bin/bash\n", NO_LICENCE),
    ("a/Jamfile", "\n", NO_LICENCE),
    ("test/x.py", "#\n" * 200 + HEAD, NO_LICENCE),
)


class CheckLayers(Scripts):
    maxDiff = None

    def expect(self, path, text, *reports):
        found = check_layers.faults_of({**sound_tree(), path: text})
        self.assertEqual(found, [f"{path}:{report}" for report in reports])

    def test_planted_faults_and_controls(self):
        lines = tuple((path, header(path, body), report and f"4: {report}") for path, body, report in PLANTED)
        for path, text, report in lines + PLANTED_FILES:
            with self.subTest(path=path, text=text):
                self.expect(path, text, *filter(None, [report]))

    def test_guards(self):
        for path, guard in ((TCP, "INTERLOCK_IP_TCP_HPP"), (TEST, "INTERLOCK_TEST_UNIT_ERROR_HPP")):
            text, report = header(path, ""), f"1: does not begin and end with the include guard {guard}"
            for old, new in (
                ("#ifndef I", "#ifndef X"), ("#define I", "#define X"), ("#endif // I", "#endif // X"),
                ("#ifndef", "// #ifndef"), ("#ifndef", "int i;\n#ifndef"),
            ):
                self.expect(path, text.replace(old, new), report)

    def test_the_length_of_functions(self):
        for path, lines in (("include/a.hpp", 29), ("src/a.cpp", 28)):
            write(self.root, path, "\nint f()\n{" + "\n" * lines + "}\n")
        found = list(check_layers.long_functions(self.root))
        self.assertEqual(found, ["include/a.hpp:2: f has more than 30 lines"])

    def test_names_that_leak(self):
        for path, body in (
            ("include/a.hpp", "namespace detail { template <class T> void f(T&) {} void g(int); }"),
            ("include/b.hpp", "namespace detail { namespace functions { template <class T> void f(T&) {} } }"),
            ("include/c.hpp", "namespace detail { namespace bases { void f(int); struct s { void f(); }; } }"),
            ("include/d.hpp", "class basic_s { using base = int; int interlock_n; };"),
            ("include/e.hpp", "class basic_s { protected: basic_s(); ~basic_s(); void f(); public: int n; };"),
            ("include/f.hpp", "namespace detail { class s { int n; }; }"),
            ("include/h.hpp", "class basic_s { static int impl_; int impl_of; };"),
            ("include/g.hpp", "namespace detail { struct s { template <class T> friend void f(T&, s) {} }; }"),
        ):
            write(self.root, path, f"namespace interlock {{ inline namespace abi_0 {{\n{body}\n}} }}\n")
        self.assertEqual(sorted(check_layers.leaking_names(self.root)), [
            "include/a.hpp:2: f is a function template outside of detail::functions",
            "include/c.hpp:2: f is a function in detail::bases",
            "include/d.hpp:2: base hides a program's name; it has to begin with interlock_",
            "include/e.hpp:2: f hides a program's name; it has to begin with interlock_",
            "include/h.hpp:2: impl_of hides a program's name; it has to begin with interlock_",
        ])

    def test_the_program(self):
        script = "tools/check_layers.py"
        self.run_script(1, f"{CLOSER}:1: no such file", script, self.root)
        for path, text in {**sound_tree(), "test/bin/x.cpp": ""}.items():
            write(self.root, path, text)
        self.run_script(0, "check_layers: 18 files, 0 faults", script, self.root)
        for path, text, fault in (
            ("README.md", "nobody\n", "README.md:1: code is no person: nobody"),
            (TCP, header(TCP, "int f()\n{" + "\n" * 30 + "}"), f"{TCP}:4: f has more than 30 lines"),
            (CLOSER, HEAD, f"{CLOSER}:1: needs []; "),
            (SOURCE, HEAD + CALL, f"{SOURCE}:1: needs ['close']; "),
            (SOURCE, HEAD + CALL.replace("close", "syscall"), f"{SOURCE}:1: needs ['syscall']; "),
            (SOURCE, HEAD + "#error\n", f"{SOURCE}:1: does not compile"),
        ):
            write(self.root, path, text)
            self.run_script(1, fault, script, self.root)


class CheckNamedCases(Scripts):
    TESTS = """BOOST_AUTO_TEST_SUITE(test_one)
        BOOST_FIXTURE_TEST_CASE_TEMPLATE(\n on_the_next_line, Kind, kinds, fixture<Kind>)
        // BOOST_AUTO_TEST_CASE(commented_out)
        BOOST_AUTO_TEST_SUITE_END()
        BOOST_FIXTURE_TEST_SUITE(test_two, fixture)
        BOOST_AUTO_TEST_CASE(of_the_second) {}
        BOOST_AUTO_TEST_SUITE_END()\n"""
    ROW = "    [[`a`] [[^test_tokens_a/case]] [1.81]]\n"
    GUARD = "#if BOOST_ASIO_VERSION >= 102600\n"

    def faults(self, page="", rows=ROW, guard=GUARD, program="x;\n"):
        tokens = f"{guard}BOOST_AUTO_TEST_SUITE(test_tokens_a)\nBOOST_AUTO_TEST_CASE(case)\n"
        return check_named_cases.faults_of({
            "doc/page.qbk": page, "test/unit/one.cpp": self.TESTS,
            "README.md": "```cpp\nx;\n```", "example/readme.cpp": f"//[readme\n{program}//]",
            "test/a.cpp": tokens + ("#endif\n" if guard == self.GUARD else ""),
            "doc/tokens.qbk": f"[table T\n    [[What] [Suite] [From]]\n{rows}]\n"})

    def test_cases_that_pages_name(self):
        self.assertEqual(self.faults("[^test_one/on_the_next_line] test_two/of_the_second."), [])
        self.assertEqual(self.faults("[^test/unit/none.cpp] a/test_one/none tools/test_one test_one"), [])
        for name in ("test_one/none", "test_none/on_the_next_line", "test_one/of_the_second",
                     "test_one/on_the", "test_one/commented_out"):
            self.assertEqual(self.faults(f"\n[^{name}]"), [f"doc/page.qbk:2: no such case: {name}"])

    def test_the_table_of_tokens(self):
        says = "without a test, or without a version"
        for fault, rows, guard in (
            ("[]", self.ROW.replace("[[`", "[\n        [`"), self.GUARD),
            ("[]", self.ROW.replace("1.81", "1.74"), ""),
            ("the suite test_tokens_b, which", self.ROW + self.ROW.replace("_a/case", "_b"), self.GUARD),
            ("does not name test_tokens_a", self.ROW.replace("tokens_a/case", "one"), self.GUARD),
            ("says 1.74 of test_tokens_a, which", self.ROW.replace("1.81", "1.74"), self.GUARD),
            ("says 1.81 of test_tokens_a, which is for Boost 1.74", self.ROW, self.GUARD + "#endif\n"),
            (says, self.ROW + "    [[`b`] [] [1.81]]\n", self.GUARD),
            (says, self.ROW + self.ROW.replace("1.81", ""), self.GUARD),
            ("has no rows", "", self.GUARD),
        ):
            with self.subTest(fault=fault, rows=rows):
                self.assertIn(fault, str(self.faults(rows=rows, guard=guard)))

    def test_the_program_of_the_readme(self):
        fault = "README.md:1: its program is not that of example/readme.cpp"
        self.assertEqual(self.faults(program="y;\n"), [fault])

    def test_the_program(self):
        write(self.root, "doc/tokens.qbk", "test_a/b")
        write(self.root, "README.md", "")
        write(self.root, "example/readme.cpp", "")
        self.run_script(1, "no such case: test_a/b", "tools/check_named_cases.py", self.root)


class CheckVersion(Scripts):
    STATED = (
        ("include/interlock/config.hpp", "#define INTERLOCK_VERSION 100203\n"),
        ("doc/interlock.qbk", "[library\n    [version 1.2]\n"),
        ("doc/history.qbk", "\n[heading 1.2.3]\n[heading 0.9]\n"),
        ("packaging/debian/changelog", "interlock (1.2.3-1) unstable\n"),
        ("packaging/debian/control", "Package: libinterlock1.2\nDepends:\n libinterlock1.2 (= x),\n"),
        ("packaging/debian/libinterlock1.2.install", ""),
        ("packaging/vcpkg/interlock/vcpkg.json", '{\n  "version": "1.2.3",\n'),
        ("test/consumer/CMakeLists.txt", "find_package(interlock 1.2 CONFIG)\n"),
    )
    FAULTS = (
        ("doc/interlock.qbk", "1.2", "1.3", ":2: states 1.3 instead of 1.2"),
        ("doc/interlock.qbk", "version", "id", ":1: states no version"),
        ("doc/history.qbk", "1.2.3", "1.2", ":2: states 1.2 instead of 1.2.3"),
        ("packaging/debian/changelog", "1.2.3", "1.2.4", ":1: states 1.2.4 instead of 1.2.3"),
        ("packaging/debian/control", " libinterlock1.2 (", " libinterlock1.1 (", ":3: states 1.1 instead of 1.2"),
        ("packaging/debian/control", ": libinterlock1.2", ": libinterlock1", ":1: states no version"),
        ("packaging/vcpkg/interlock/vcpkg.json", "1.2.3", "0.2.0", ":2: states 0.2.0 instead of 1.2.3"),
        ("test/consumer/CMakeLists.txt", "1.2", "1.1", ":1: states 1.1 instead of 1.2"),
    )
    SCRIPT = "tools/check_version.py"

    def setUp(self):
        super().setUp()
        for path, text in self.STATED:
            write(self.root, path, text)

    def test_a_version_that_is_stated_everywhere(self):
        self.run_script(0, "check_version: 1.2.3, 7 places, 0 faults\n", self.SCRIPT, self.root)

    def test_places_that_state_another(self):
        for path, old, new, fault in self.FAULTS:
            with self.subTest(path=path, new=new):
                text = dict(self.STATED)[path]
                write(self.root, path, text.replace(old, new, 1))
                self.run_script(1, path + fault, self.SCRIPT, self.root)
                write(self.root, path, text)

    def test_the_name_of_a_package(self):
        (self.root / "packaging/debian/libinterlock1.2.install").unlink()
        self.run_script(1, "has no libinterlock1.2.install", self.SCRIPT, self.root)


class DemoVerdict(Scripts):
    """The last line of tools/demo, for what its tables can show."""
    PARTS = ("plain", "interlock"), ("calm", "chaos")
    INTERLOCK = "Interlock crashed, hung and misdirected nowhere. Plain Asio "
    RACE = {0: "misdirected bytes in close_race; its relay ",
            2: "misdirected no byte in close_race; its relay "}

    def expect(self, status, line, race=0, changes=()):
        """RACE is the status of close_race; CHANGES are figures that are not those of a run without a failure."""
        figures = {" ".join(key): "0" for key in itertools.product(
            *self.PARTS, ("wrong", "crashes", "other_ends", "hangs", "idle", "cut"))}
        figures.update({f"{relay} {mode} answers": "9" for relay, mode in itertools.product(*self.PARTS)})
        figures.update(changes)
        with self.subTest(race=race, changes=changes):
            done = subprocess.run([ROOT / "tools/demo_verdict.sh", str(race)], stdout=subprocess.PIPE, text=True,
                                  input="".join(f"{key} {n}\n" for key, n in figures.items() if n), check=False)
            self.assertEqual((done.returncode, done.stdout), (status, line + "\n"))

    def test_what_plain_asio_did(self):
        shown = {(0, 0, 0): "did not fail this time.", (1, 0, 0): "crashed once.", (0, 2, 0): "hung twice.",
                 (0, 0, 3): "answered wrongly 3 times.", (12, 1, 0): "crashed 12 times, hung once.",
                 (2, 0, 1): "crashed twice, answered wrongly once.", (0, 1, 1): "hung once, answered wrongly once.",
                 (3, 2, 1): "crashed 3 times, hung twice, answered wrongly once."}
        for (crashes, hangs, wrong), text in shown.items():
            seen = {"plain chaos crashes": crashes, "plain chaos hangs": hangs, "plain chaos wrong": wrong}
            seen = {key: str(number) for key, number in seen.items()}
            self.expect(0, self.INTERLOCK + self.RACE[0] + text, 0, seen)
            if crashes or hangs or wrong:
                self.expect(0, self.INTERLOCK + self.RACE[2] + text, 2, seen)
            else:
                self.expect(1, "demo: plain Asio failed nowhere: nothing is proved", 2, seen)
            for race, line in ((1, "close_race: Interlock was not clean"), (3, "close_race ended with status 3"),
                               (139, "close_race ended with status 139")):
                self.expect(1, "demo: " + line, race, seen)

    def test_what_interlock_did(self):
        shown = {"crashes": "crashed", "hangs": "hung", "wrong": "misdelivered", "idle": "stood still",
                 "other_ends": "ended by itself"}
        for figure, text in shown.items():
            for plain in ("0", "1"):
                for race in (0, 2):
                    both = {"plain chaos crashes": plain, f"interlock chaos {figure}": "1"}
                    self.expect(1, "demo: the relay over Interlock " + text, race, both)
        self.expect(1, "demo: the relay over Interlock served nothing", 0, {"interlock chaos answers": "0"})

    def test_failures_that_no_chaos_explains(self):
        for relay, name in (("plain", "plain Asio"), ("interlock", "Interlock")):
            for figure, text in (("crashes", "crashed"), ("hangs", "hung"), ("wrong", "misdelivered"),
                                 ("idle", "stood still"), ("other_ends", "ended by itself")):
                self.expect(1, f"demo: the relay over {name}, without chaos, {text}", 0,
                            {f"{relay} calm {figure}": "1"})
        self.expect(1, "demo: the relay over plain Asio ended by itself", 0, {"plain chaos other_ends": "1"})

    def test_what_needs_no_mention(self):
        for key in ("plain chaos idle", "plain chaos cut", "interlock chaos cut"):
            self.expect(0, self.INTERLOCK + self.RACE[0] + "did not fail this time.", 0, {key: "7"})

    def test_figures_that_are_missing(self):
        for key in ("interlock chaos crashes", "plain chaos wrong", "plain calm answers"):
            self.expect(1, f"demo: no figure '{key}'", 0, {key: ""})

    def test_how_a_relay_ended(self):
        """By the statuses of its starts; the demo causes the last end itself."""
        program = """set -euo pipefail
            . "$1/tools/demo_relay.sh"; dir=$2; hung=$3; touch "$dir"/{first,other}.result; key='plain chaos'
            add_results "$key"; add_results "$key"
            echo "${crashes[$key]} ${other_ends[$key]} ${hangs[$key]} $(crash_text "$key")" """
        for ends, hung, twice in (
            ("0", 0, "0 0 0 0"), ("143", 0, "0 0 0 0"), ("137", 1, "0 0 2 0"), ("0", 1, "0 0 2 0"),
            ("139 139 0", 0, "4 0 0 4 (SEGV)"), ("139 134 0", 0, "4 0 0 4 (ABRT SEGV)"), ("139", 0, "2 0 0 2 (SEGV)"),
            ("136 137", 1, "2 0 2 2 (FPE)"), ("139 137", 0, "2 2 0 2 (SEGV)"), ("137 0", 0, "0 2 0 0"),
            ("0 0", 0, "0 2 0 0"), ("1 1 0", 0, "0 4 0 0"), ("1", 0, "0 2 0 0"), ("143 139", 0, "2 2 0 2 (SEGV)"),
        ):
            write(self.root, "ends", "".join(f"{status}\n" for status in ends.split()))
            with self.subTest(ends=ends, hung=hung):
                done = subprocess.run(["bash", "-c", program, "bash", ROOT, self.root, str(hung)],
                                      stdout=subprocess.PIPE, text=True, check=True)
                self.assertEqual(done.stdout, twice + "\n")


class OtherScripts(Scripts):
    def test_mutate(self):
        source, target = self.root / "x.hpp", self.root / "out/x.hpp"
        write(self.root, "x.hpp", "if (a == 0)\n  b();\nif (c)\n  b();\n")
        for status, text, pattern, out in (
            (1, "'a == 1' occurs 0 times", "a == 1", target),
            (1, "'b();' occurs 2 times", "b();", target),
            (1, "empty or equal", "true", target),
            (1, "the same file", "a == 0", source),
            (0, "", "a == 0", target),
        ):
            self.assertFalse(target.exists())
            self.run_script(status, text, "tools/mutate.py", "--in", source, "--out", out,
                            "--pattern", pattern, "--replace", "true")
        self.assertEqual(target.read_text(), "if (true)\n  b();\nif (c)\n  b();\n")

    def test_compile_fail(self):
        rejected, expected = "int main() { return undeclared; }\n", "// expect: undeclared\n"
        controlled = f"{expected}// control\n"
        for status, text, program in (
            (0, "1 of 1 as expected", expected + rejected),
            (1, "does not say 'no member'", "// expect: no member\n" + rejected),
            (1, "compiles, but must not", "// expect: x\nint main() {}\n"),
            (1, "has no line '// expect: TEXT'", rejected),
            (0, "1 of 1", f"{controlled}#ifdef EXPECT_OK\nint main() {{}}\n#else\n{rejected}#endif\n"),
            (1, "does not compile with EXPECT_OK either", controlled + rejected),
            (0, "1 of 1", "// expect: no such text | undeclared\n" + rejected),
            (1, "does not say 'absent | missing'", "// expect: absent | missing\n" + rejected),
            (0, "1 of 1", "// expect in 9 lines: undeclared\n" + rejected),
            (1, "lines, more than 9", "// expect in 9 lines: undeclared\n"
             + rejected.replace("undeclared", "u + v + w + undeclared")),
            (0, "1 of 1", "// expect with -DX=undeclared: undeclared\n" + rejected.replace("undeclared", "X")),
            (1, "does not say 'undeclared'", "// expect: X\n// expect with -DY: undeclared\n"
             + rejected.replace("undeclared", "X")),
        ):
            write(self.root, "x.cpp", program)
            self.run_script(status, text, "test/compile_fail.py", self.root / "x.cpp", "--", "c++")

    def test_expect_failure(self):
        for status, text, program in (
            (0, "noticed: bad: news", "echo good; echo bad: news; exit 1"),
            (1, "no line matches", "echo not bad: news; exit 1"),
            (1, "status -9", "kill -9 $$"),
            (1, "the program succeeded", "echo bad: news"),
        ):
            self.run_script(status, text, "test/expect_failure.py", "^bad: .*", "--", "sh", "-c", program)

    def test_members_page(self):
        write(self.root, "program", "#!/bin/sh\necho one; echo two\n")
        os.chmod(self.root / "program", 0o755)
        for status, text, before, after, options in (
            (0, "", "one\ntwo\n", "one\ntwo\n", []),
            (1, "-three", "one\nthree\n", "one\nthree\n", []),
            (0, "", "one\n", "one\ntwo\n", ["--write"]),
        ):
            write(self.root, "page", before)
            self.run_script(status, text, "test/members/check.py", *options, self.root / "program",
                            self.root / "page")
            self.assertEqual((self.root / "page").read_text(), after)
        write(self.root, "program", "#!/bin/sh\n")
        self.run_script(1, "prints nothing", "test/members/check.py", self.root / "program",
                        self.root / "page")


if __name__ == "__main__":
    unittest.main()
