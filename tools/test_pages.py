#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""The scripts of doc/, on small trees and pages: each reports what is planted, and nothing else."""

import importlib
import os
import subprocess
import sys
import unittest

from test_checks import ROOT, Scripts, write


class CheckPages(Scripts):
    def expect(self, status, text, page, source=""):
        write(self.root, "html/a.html", "<title>A</title>" + page)
        write(self.root, "html/sub/b.html", '<title>B</title><a id="place"></a><a href="../a.html">')
        write(self.root, "doc/x.qbk", source)
        write(self.root, "test/x.cpp", "")
        self.run_script(status, text, "doc/form/check_pages.py", self.root, self.root / "html")

    def test_pages(self):
        self.expect(0, "2 pages, 0 faults", '<p id="p">test/x test/x.cpp <code>[^x]</code>'
                    '<a href="#p"/><a href="http://c#d"/><a href="sub/b.html#place"/>', "[link sub.b.place x] [link a.p y]")
        self.expect(1, "a link to c.html, which does not exist", '<a href="c.html">')
        self.expect(1, "a.html: a link to sub/b.html#p, a place", '<p id="p"><a href="sub/b.html#p">')
        self.expect(1, "doc/x.qbk: a link to none, which", "", "[link none x]")
        self.expect(1, "doc/x.qbk: a link to place, which", "", "[link place x]")
        self.expect(1, "names test/y.cpp, which does not exist", "<code>test/y.cpp</code>")
        self.expect(1, "not understood: [^", "<code>x</code> [^x]")
        self.expect(0, "2 pages, 0 faults", '<p id="p"><a id="q" name="q">')
        self.expect(1, "a.html: 2 elements have the id p", '<p id="p"><a id="p">')
        write(self.root, "html/sub/c.html", "<title>B</title>")
        self.run_script(1, "2 pages have the title B", "doc/form/check_pages.py", self.root, self.root / "html")
        self.run_script(1, "no pages", "doc/form/check_pages.py", self.root, self.root / "doc")


class Search(Scripts):
    """What the search finds first, by a small index."""
    SECTIONS = (
        ("Design", "", "design.html", "A race is graceful, and races on.", "", 0),
        ("basic_stream_socket::close", "Reference", "socket.html#close", "It closes. Bad descriptor.", "", 2),
        ("socket_base::close", "Reference", "base.html#close", "It closes. Bad descriptor.", "", 1),
        ("socket_base::open", "Reference", "base.html#open", "It opens. Bad descriptor.", "", 1),
        ("Threads", "", "threads.html", "A race of threads.", "data race, thread pool", 3),
        ("Modes", "Closing", "closing.html#modes", "Graceful, abort.", "", 3),
    )
    FOUND = (
        ("race", "threads.html design.html"),
        ("raceful", ""),
        ("hread", ""),
        ("The RACE", "threads.html design.html"),
        ("graceful", "closing.html#modes design.html"),
        ("stream_socket", "socket.html#close"),
        ("socket::close", "socket.html#close"),
        ("socket_base close", "base.html#close"),
        ("bad descriptor", "socket.html#close base.html#open"),
        ("thread pool", "threads.html"),
        ("closing abort", "closing.html#modes"),
        ("race nowhere", "threads.html design.html"),
        ("the", ""),
        (":: (", ""),
    )

    def setUp(self):
        super().setUp()
        sys.path.insert(0, str(ROOT / "doc/form"))
        self.addCleanup(sys.path.remove, str(ROOT / "doc/form"))
        self.search = importlib.import_module("search")

    def test_what_is_found(self):
        index = self.search.Index(self.search.WEIGHTS, self.SECTIONS)
        for query, addresses in self.FOUND:
            with self.subTest(query=query):
                self.assertEqual(" ".join(index.find(query)), addresses)

    def test_the_program(self):
        pages = [(page, "", f"interlock/{page}.html", "") for page in self.search.KEYWORDS]
        with self.assertRaisesRegex(SystemExit, "keywords of pages that do not exist: interlock/server.html"):
            self.search.index_script(pages[1:])
        write(self.root, "search_index.js", self.search.index_script(pages))
        self.run_script(0, "drain: interlock/server.html\n", "doc/form/search.py", self.root, "drain")
        self.run_script(1, "async_close: finds nothing first", "doc/form/search.py", self.root)


class Programs(Scripts):
    def test_a_page(self):
        write(self.root, "example/a_b.cpp", "// Copyright (c) 2026 X\n// SPDX-License-Identifier: BSL-1.0\n//\n// What it\n"
              "// is.\n//\n//   a_b < X\n\n//[part\nint f() // \"g\"\n//]\n{ return \"//\"[0] & '\"'; }\n")
        done = subprocess.run([sys.executable, ROOT / "doc/form/programs.py", self.root], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
        for text in ('<refentry id="interlock.examples.a_b">', "<refpurpose>What it is.</refpurpose>",
                     "<programlisting>a_b &lt; X</programlisting>",
                     '<programlisting><phrase role="keyword">int</phrase> f() <phrase role="comment">// "g"</phrase>\n{ ',
                     '<phrase role="string">"//"</phrase>[<phrase role="number">0</phrase>] &amp; ',
                     """<phrase role="char">'"'</phrase>; }</programlisting>"""):
            self.assertIn(text, done)
        self.assertNotIn("SPDX", done)


class Reference(Scripts):
    """What the comments of a header leave out."""
    CLASS = """
namespace interlock {{
/// What it is for.
/**
 * @par Thread Safety
 * Safe.
 */
class {name}
{{
public:
  /// What it does.
  {comment}
  {function};
}};
}}
"""
    START = "template <INTERLOCK_TOKEN_FOR(void(int)) Token> auto async_run(Token&& token)"

    def gaps(self, text):
        write(self.root, "include/interlock/a.hpp", text)
        subprocess.run(["doxygen", ROOT / "doc/reference/Doxyfile"], cwd=self.root, check=True, capture_output=True,
                       env=dict(os.environ, MADE=str(self.root)))
        done = subprocess.run([sys.executable, ROOT / "doc/reference/reference.py", self.root, self.root / "doxygen"],
                              capture_output=True, text=True, check=False)
        lines = done.stderr.splitlines()
        self.assertEqual(done.returncode, 1 if len(lines) > 1 else 0, done.stderr)
        return [line.partition("lacks ")[2] for line in lines[:-1]]

    def member(self, function, comment=""):
        return self.gaps(self.CLASS.format(name="thing", comment=comment, function=function))

    def test_gaps(self):
        self.assertEqual(self.member("void run()"), [])
        self.assertEqual(self.member("void run(int times)"), ["the parameter times"])
        self.assertEqual(self.member("void run(int times)", "/** @param times How often. */"), [])
        self.assertEqual(self.member("void run(int times)", "/** @asio */"), [])
        self.assertEqual(self.member("void run(boost::system::error_code& ec)"), ["Error Codes"])
        self.assertEqual(self.member("void run(boost::system::error_code& ec)", "/** @errors{read(2)} */"), [])
        self.assertEqual(self.member(self.START),
                         ["the parameter token", "Error Codes", "Per-Operation Cancellation"])
        self.assertEqual(self.member(self.START, "/** @asio */"), ["Error Codes"])

    def test_gaps_of_names(self):
        self.assertEqual(self.gaps("namespace interlock {\nenum class e { a };\n}"), ["what it is for", "what a means"])
        self.assertEqual(self.gaps("#define INTERLOCK_A 1\n"), ["what it is for"])
        self.assertEqual(self.gaps("namespace interlock {\n/// It runs.\nvoid run();\n}"), ["Thread Safety"])
        self.assertEqual(self.gaps("namespace interlock {\n/// A.\nclass a {\npublic:\n/// B.\nvoid b();\n};\n}"),
                         ["Thread Safety"])


if __name__ == "__main__":
    unittest.main()
