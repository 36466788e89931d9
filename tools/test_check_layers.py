#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Planted violations: check_layers.py must report each, in these words, and nothing else.

Every case starts from a small tree in which all is well, changes one file, and states the
complete list of reports. The cases with an empty list are the controls: the same text where it
is allowed, or where it is not code.
"""

import os
import subprocess
import sys
import tempfile
import unittest

CHECK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check_layers.py")
HEAD = "// Copyright (c) 2026 The Interlock authors\n// SPDX-License-Identifier: BSL-1.0\n\n"
CLOSER = "src/detail/descriptor/close_descriptor.cpp"


def header(path, body=""):
    name = path[len("include/") :] if path.startswith("include/") else f"interlock/{path}"
    guard = name.upper().replace("/", "_").replace(".", "_")
    return f"{HEAD}#ifndef {guard}\n#define {guard}\n{body}\n#endif // {guard}\n"


def sound_tree():
    """One file a room, each including the room before."""
    chain = (
        ("include/interlock/config.hpp", ""),
        ("include/interlock/error.hpp", "config.hpp"),
        ("include/interlock/detail/descriptor/calls.hpp", "error.hpp"),
        ("include/interlock/detail/closing/close_job.hpp", "detail/descriptor/calls.hpp"),
        ("include/interlock/close_service.hpp", "detail/closing/close_job.hpp"),
        ("include/interlock/detail/core/tenure.hpp", "close_service.hpp"),
        ("include/interlock/basic_socket.hpp", "detail/core/tenure.hpp"),
        ("include/interlock/ip/tcp.hpp", "basic_socket.hpp"),
        ("include/interlock.hpp", "ip/tcp.hpp"),
        ("include/interlock/adapter/ssl.hpp", "ip/tcp.hpp"),
    )
    tree = {
        path: header(path, f"#include <interlock/{before}>\n" if before else "")
        for path, before in chain
    }
    tree[CLOSER] = HEAD + "#include <unistd.h>\nint f(int n) { return ::close(n); }\n"
    tree["src/error.cpp"] = HEAD + "#include <interlock/error.hpp>\n"
    tree["test/unit/error.cpp"] = HEAD + "#include <boost/asio.hpp>\n#include <interlock.hpp>\n"
    tree["Jamroot"] = "# SPDX-License-Identifier: BSL-1.0\n"
    tree["README.md"] = "# Interlock\n"
    return tree


class CheckLayers(unittest.TestCase):
    maxDiff = None

    def run_on(self, tree):
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                place = os.path.join(root, path)
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "w", encoding="utf-8") as file:
                    file.write(text)
            return subprocess.run(
                [sys.executable, CHECK, root], stdout=subprocess.PIPE, text=True, check=False
            )

    def expect(self, changes, *reports):
        """CHANGES: path -> text. The output is REPORTS and the closing line, exactly."""
        tree = {**sound_tree(), **changes}
        done = self.run_on(tree)
        closing = f"check_layers: {len(tree)} files, {len(reports)} violations"
        self.assertEqual(done.stdout.splitlines(), [*reports, closing])
        self.assertEqual(done.returncode, 1 if reports else 0)

    def expect_in_header(self, path, body, *reports):
        """REPORTS without path and line: all of them come from line 6, where BODY begins."""
        self.expect({path: header(path, body)}, *(f"{path}:6: {report}" for report in reports))

    def expect_in_source(self, path, body, *reports):
        self.expect({path: HEAD + body}, *(f"{path}:4: {report}" for report in reports))

    # --- the sound tree and the edges of the program ---

    def test_a_sound_tree_passes(self):
        self.expect({})

    def test_a_tree_without_a_library_is_an_error_of_its_own(self):
        done = self.run_on({"README.md": "x\n"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("no include/ and no src/", done.stdout)

    # --- rooms ---

    def test_a_file_in_no_room(self):
        for path in ("include/interlock/stray.hpp", "include/interlock/detail/stray.hpp"):
            self.expect(
                {path: header(path)},
                f"{path}:1: belongs to no room (see ROOMS in tools/check_layers.py)",
            )

    def test_a_source_in_no_room(self):
        self.expect_in_no_room("src/stray.cpp", HEAD)

    def test_a_file_of_another_kind_in_no_room(self):
        self.expect_in_no_room("src/notes.txt", "x\n")

    def expect_in_no_room(self, path, text):
        self.expect(
            {path: text}, f"{path}:1: belongs to no room (see ROOMS in tools/check_layers.py)"
        )

    def test_a_later_room_is_not_included(self):
        self.expect_in_header(
            "include/interlock/error.hpp",
            "#include <interlock/detail/descriptor/calls.hpp>",
            "room 1 may not include room 2: <interlock/detail/descriptor/calls.hpp>",
        )
        self.expect_in_header(
            "include/interlock/detail/core/tenure.hpp",
            "#  include  <interlock.hpp> // spaced",
            "room 5 may not include room 7: <interlock.hpp>",
        )

    def test_the_line_after_a_splice_is_counted_right(self):
        path = "include/interlock/error.hpp"
        self.expect(
            {path: header(path, "#define A \\\n  1\n/*\n*/ #include \\\n<interlock/ip/tcp.hpp>")},
            f"{path}:9: room 1 may not include room 7: <interlock/ip/tcp.hpp>",
        )

    def test_a_source_is_bound_by_its_room_too(self):
        self.expect_in_source(
            "src/error.cpp",
            "#include <interlock/detail/closing/close_job.hpp>",
            "room 1 may not include room 3: <interlock/detail/closing/close_job.hpp>",
        )

    def test_a_source_of_a_room_beyond_the_asio_line(self):
        path = "src/close_service.cpp"
        self.expect(
            {path: HEAD},
            f"{path}:1: room 4 stands beyond the Asio line and cannot be compiled in src/",
        )

    def test_an_adapter_is_included_by_nobody(self):
        path = "include/interlock/adapter/other.hpp"
        self.expect_in_header(
            path,
            "#include <interlock/adapter/ssl.hpp>",
            "an adapter is included by nobody: <interlock/adapter/ssl.hpp>",
        )
        self.expect_in_header(
            "include/interlock.hpp",
            "#include <interlock/adapter/ssl.hpp>",
            "room 7 may not include room 8: <interlock/adapter/ssl.hpp>",
        )

    def test_includes_that_are_not_code(self):
        for body in (
            "// #include <interlock.hpp>",
            "/* \n#include <interlock.hpp>\n*/",
            "// continued \\\n#include <interlock.hpp>",
            'const char* s = "\\\n#include <interlock.hpp>";',
            'const char* s = R"x(\n#include <interlock.hpp>\n)x";',
        ):
            self.expect_in_header("include/interlock/error.hpp", body)

    def test_includes_of_the_own_and_earlier_rooms(self):
        self.expect_in_header(
            "include/interlock/basic_socket.hpp",
            "#include <interlock/basic_socket.hpp>\n#include <interlock/config.hpp>",
        )

    # --- how a project header is included ---

    def test_a_quoted_include(self):
        self.expect_in_header(
            "include/interlock/error.hpp",
            '#include "config.hpp"',
            '"config.hpp" is to be included as <interlock/...>',
        )
        self.expect_in_source(
            "test/unit/error.cpp",
            '#include "../../include/interlock/error.hpp"',
            '"../../include/interlock/error.hpp" is to be included as <interlock/...>',
        )

    def test_a_test_quotes_its_own_headers(self):
        self.expect_in_source("test/unit/error.cpp", '#include "support/interlock_count.hpp"')

    def test_a_header_that_is_not_there(self):
        self.expect_in_source(
            "test/unit/error.cpp",
            "#include <interlock/gone.hpp>",
            "no such header: <interlock/gone.hpp>",
        )

    def test_an_include_of_a_macro(self):
        self.expect_in_source(
            "src/error.cpp", "#include HEADER", "an include of a macro cannot be checked: HEADER"
        )

    # --- the Asio line ---

    def test_asio_in_an_early_room(self):
        for name in ("boost/asio.hpp", "boost/asio/buffer.hpp", "boost/beast/core.hpp", "asio.hpp"):
            self.expect_in_header(
                "include/interlock/detail/closing/close_job.hpp",
                f"#include <{name}>",
                f"room 3 may not include Asio: <{name}>",
            )

    def test_asio_in_a_source(self):
        self.expect_in_source(
            "src/error.cpp",
            "#include <boost/asio/error.hpp>",
            "room 1 may not include Asio: <boost/asio/error.hpp>",
        )

    def test_asio_in_a_later_room_and_its_namesakes(self):
        self.expect_in_header("include/interlock/close_service.hpp", "#include <boost/asio.hpp>")
        self.expect_in_source("src/error.cpp", "#include <boost/asiox.hpp> // <boost/asio.hpp>")

    # --- details of Asio, wherever they are named ---

    def test_an_include_of_details(self):
        self.expect_in_header(
            "include/interlock/ip/tcp.hpp",
            "#include <boost/asio/detail/config.hpp>",
            "includes details of Asio: boost/asio/detail/config.hpp",
        )
        self.expect_in_source(
            "test/unit/error.cpp",
            '#include "boost/asio/detail/config.hpp"',
            "includes details of Asio: boost/asio/detail/config.hpp",
        )

    def test_a_name_of_details(self):
        for body, name in (
            ("boost::asio::detail::x y;", "asio"),
            ("namespace net = boost::asio; net /**/ :: detail::x y;", "net"),
            ("namespace a = boost::asio; namespace b = a; b::detail::x y;", "b"),
            ("namespace boost::asio { namespace detail { struct x; } }", "asio"),
            ("namespace boost::asio::detail { struct x; }", "asio"),
            ("#if __has_include(<boost/asio/detail/x.hpp>)\n#endif", "asio"),
        ):
            self.expect_in_source(
                "test/unit/error.cpp", body, f"names details of Asio: {name}::detail"
            )

    def test_what_is_no_name_of_details(self):
        for body in (
            "// boost::asio::detail",
            'const char* s = "boost::asio::detail";',
            "namespace net = std; net::detail::x y;",
            "interlock::detail::x y; asio::details z; my::asio_detail w;",
        ):
            self.expect_in_source("test/unit/error.cpp", body)

    # --- close(2) ---

    def test_close_outside_the_one_file(self):
        for body, what in (
            ("int f(int n) { return ::close(n); }", "::close"),
            ("int f(int n) { return :: /* */ close (n); }", "::close"),
            ("int (*f)(int) = &::close;", "::close"),
            ("int f(int n) { return close(n); }", "close("),
            ("int f(int n) { return 1'000 + close(n) + '\\''; }", "close("),
            ("int f() { return ::close_range(3, 4, 0); }", "close_range"),
            ("int f(int n) { return syscall(SYS_close, n); }", "SYS_close"),
        ):
            self.expect_in_source("src/error.cpp", body, f"only {CLOSER} calls close(2): {what}")

    def test_close_in_a_header(self):
        self.expect_in_header(
            "include/interlock/ip/tcp.hpp",
            "inline int f(int n) { return ::close(n); }",
            f"only {CLOSER} calls close(2): ::close",
        )

    def test_what_is_no_close(self):
        for body in (
            "void f(x& a, x* b) { a.close(); b->close(); std::fclose(c); }",
            "void other::close(int) {} void g() { other::close(1); t<int>::close(2); }",
            "void f() { close_descriptor(1); bool close = true; }",
            "// ::close(1)\n/* close(1) */",
            'const char* s = "::close(1)"; const char* t = R"(close(1))";',
        ):
            self.expect_in_source("src/error.cpp", body)

    def test_close_is_free_elsewhere(self):
        self.expect_in_header("include/interlock/ip/tcp.hpp", "struct s { void close(); };")
        self.expect_in_source("test/unit/error.cpp", "int f(int n) { return ::close(n); }")

    # --- include guards ---

    def test_a_wrong_guard(self):
        path = "include/interlock/ip/tcp.hpp"
        text = header(path)
        guard = "INTERLOCK_IP_TCP_HPP"
        begin = f"{path}:1: does not begin with the include guard {guard}"
        end = f"{path}:{len(text.splitlines())}: does not end with '#endif // {guard}'"
        self.expect({path: text.replace(f"#ifndef {guard}", "#ifndef OTHER")}, begin)
        self.expect({path: text.replace(f"#define {guard}", "#define OTHER")}, begin)
        self.expect({path: text.replace(f"#endif // {guard}", "#endif // OTHER")}, end)
        self.expect({path: text.replace(f"#endif // {guard}", "#endif")}, end)

    def test_a_guard_in_a_comment_is_none(self):
        path = "test/support/count.hpp"
        self.expect({path: header(path)})
        self.expect(
            {path: header(path).replace("#ifndef", "// #ifndef")},
            f"{path}:1: does not begin with the include guard INTERLOCK_TEST_SUPPORT_COUNT_HPP",
        )

    # --- the licence line ---

    def test_a_missing_licence_line(self):
        report = "has no line 'SPDX-License-Identifier: BSL-1.0' at its top"
        for path, text in (
            ("test/x.cpp", "int x;\n"),
            ("test/x.py", "x = 1\n"),
            ("tools/x", "#!/bin/bash\n"),
            ("Jamroot", "project x ;\n"),
            ("CMakeLists.txt", "project(x)\n"),
            ("doc/x.qbk", "[section x]\n"),
            ("test/y.cpp", "\n" * 5 + HEAD),
        ):
            self.expect({path: text}, f"{path}:1: {report}")

    def test_files_that_need_no_licence_line(self):
        self.expect({"doc/picture.svg": "<svg/>\n", "doc/x.md": "x\n"})

    def test_build_folders_are_not_looked_at(self):
        done = self.run_on({**sound_tree(), "bin/x.cpp": "", "test/bin/gcc/x.cpp": "::close(1);"})
        self.assertEqual(
            done.stdout, f"check_layers: {len(sound_tree())} files, 0 violations\n"
        )


if __name__ == "__main__":
    unittest.main()
