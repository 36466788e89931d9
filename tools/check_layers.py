#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check the rules of physical structure that no compiler checks.

usage: check_layers.py [ROOT]      (default: the tree that this script is part of)

  * a file of include/ or src/ belongs to a room and includes its own room or an earlier one
  * rooms 0 to 3 and all of src/ never include Asio; nothing, tests included, touches its details
  * one file calls close(2)
  * project headers are included as <interlock/...> and exist
  * an include guard is named after its header's path, and so is the comment that closes it
  * every source file carries the licence line

Exit status 0: no violation; 1: each violation has been printed as FILE:LINE: TEXT.
"""

import fnmatch
import os
import re
import sys
from bisect import bisect_right
from collections import namedtuple

# Names below include/interlock/ (without .hpp) and below src/ (without .cpp). First match holds.
ROOMS = (
    (0, ("config",)),
    (1, ("error", "borrowed", "close_mode", "close_outcome", "close_report")),
    (2, ("detail/descriptor/*",)),
    (3, ("detail/closing/*", "detail/tenure/*")),
    (4, ("close_service", "fd_lease")),
    (5, ("detail/core/*",)),
    (6, ("basic_*", "close_handle", "posix/basic_*", "detail/members/*")),
    (7, ("closable", "ip/*", "local/*", "generic/*", "posix/*", "*_pipe", "connect_pipe")),
    (7, ("serial_port", "close_group", "(umbrella)")),
    (8, ("adapter/*",)),
)
LAST_WITHOUT_ASIO = 3
ADAPTERS = 8
CLOSER = "src/detail/descriptor/close_descriptor.cpp"

SKIPPED_FOLDERS = {".git", "bin", "build", "stage", "__pycache__"}
LICENSED = (".hpp", ".cpp", ".ipp", ".py", ".sh", ".jam", ".cmake", ".in", ".qbk")
LICENSED_NAMES = ("Jamroot", "Jamfile", "CMakeLists.txt")
LICENCE = "SPDX-License-Identifier: BSL-1.0"

ASIO_HEADER = re.compile(r"(boost/)?asio(\.hpp$|/)|boost/beast(\.hpp$|/)")
ASIO_DETAIL = re.compile(r"(boost/)?asio/detail/")
CLOSING_WORDS = {"close_range", "closefrom", "SYS_close", "__NR_close", "SYS_close_range",
                 "__NR_close_range"}
KEYWORDS_BEFORE_A_CALL = {"return", "else", "do", "case", "throw", "co_return", "and", "or", "not"}

Token = namedtuple("Token", "kind text line")

LITERALS = r"""
    (?P<raw>   (?:u8|[uUL])?R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)" )
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*" )
  | (?P<char>  (?:u8|[uUL])?'(?:\\.|[^'\\\n])*' )
  | (?P<number>\.?\d(?:[eEpP][+-]|'?[\w.])* )
  | (?P<word>  [A-Za-z_]\w* )
"""
COMMENTS = re.compile(r"(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))|" + LITERALS, re.X | re.S)
TOKENS = re.compile(
    r"""(?P<include>^[ \t]*\#[ \t]*include(?:_next)?\b[^\n]*)|""" + LITERALS
    + r"""| (?P<punct>::|->|\S)""", re.X | re.S | re.M)


class Source:
    """One C++ file: its text, its tokens without comments, and its includes."""

    def __init__(self, text):
        self.text = text
        spliced, self.starts = self.splice(text)
        self.code = COMMENTS.sub(self.blank_comment, spliced)
        self.includes, self.tokens = [], []
        for match in TOKENS.finditer(self.code):
            line = bisect_right(self.starts, match.start() + self.margin(match.group()))
            if match.lastgroup == "include":
                self.includes.append((match.group().split("include", 1)[1].strip(), line))
            else:
                kind = "word" if match.group("word") else "other"
                self.tokens.append(Token(kind, match.group(), line))

    @staticmethod
    def margin(text):
        return len(text) - len(text.lstrip())

    @staticmethod
    def splice(text):
        """Joins lines that end in a backslash; also returns where each line of TEXT begins."""
        joined, starts, size = [], [], 0
        for line in text.splitlines():
            starts.append(size)
            piece = line[:-1] if line.endswith("\\") else line + "\n"
            joined.append(piece)
            size += len(piece)
        return "".join(joined), starts

    @staticmethod
    def blank_comment(match):
        if match.group("comment") is None:
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())


def room_of(path):
    """Returns the room of a file of include/ or src/, or None if it has none."""
    if path == "include/interlock.hpp":
        name = "(umbrella)"
    else:
        match = re.fullmatch(r"include/interlock/(.*)\.hpp|src/(.*)\.cpp", path)
        name = match and (match.group(1) or match.group(2))
    for room, patterns in ROOMS if name else ():
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            return room
    return None


def in_library(path):
    return path.startswith(("include/", "src/"))


def check_room(path, _source, _tree):
    if in_library(path) and room_of(path) is None:
        yield 1, "belongs to no room (see ROOMS in tools/check_layers.py)"
    elif path.startswith("src/") and room_of(path) > LAST_WITHOUT_ASIO:
        yield 1, f"room {room_of(path)} stands beyond the Asio line and cannot be compiled in src/"


def check_includes(path, source, tree):
    for what, line in source.includes:
        match = re.match(r'<([^>]*)>|"([^"]*)"', what)
        if not match:
            yield line, f"an include of a macro cannot be checked: {what}"
            continue
        header, quoted = match.group(1) or match.group(2), match.group(2) is not None
        if ASIO_DETAIL.match(header):
            yield line, f"includes details of Asio: {header}"
        if quoted and (in_library(path) or re.search(r"(^|/)interlock(/|\.hpp$)", header)):
            yield line, f'"{header}" is to be included as <interlock/...>'
        elif re.match(r"interlock(/|\.hpp$)", header):
            yield from check_order(path, header, line, tree)
        elif in_library(path) and ASIO_HEADER.match(header):
            yield from check_asio_line(path, header, line)


def check_asio_line(path, header, line):
    room = room_of(path)
    if room is not None and (room <= LAST_WITHOUT_ASIO or path.startswith("src/")):
        yield line, f"room {room} may not include Asio: <{header}>"


def check_order(path, header, line, tree):
    """A project header exists, and comes from the includer's room or an earlier one."""
    if f"include/{header}" not in tree:
        yield line, f"no such header: <{header}>"
        return
    mine, other = room_of(path) if in_library(path) else None, room_of(f"include/{header}")
    if mine is None or other is None:
        return
    if other > mine:
        yield line, f"room {mine} may not include room {other}: <{header}>"
    elif other == ADAPTERS:
        yield line, f"an adapter is included by nobody: <{header}>"


def check_close(path, source, _tree):
    """Only CLOSER calls close(2); x.close(), y->close(), other::close() are different functions."""
    if not in_library(path) or path == CLOSER:
        return
    tokens = [Token("other", "", 0)] * 2 + source.tokens + [Token("other", "", 0)]
    for index in range(2, len(tokens) - 1):
        two_before, before, here = tokens[index - 2 : index + 1]
        if here.kind != "word":
            continue
        if here.text in CLOSING_WORDS:
            yield here.line, f"only {CLOSER} calls close(2): {here.text}"
        elif here.text == "close" and before.text == "::":
            qualified = two_before.text == ">" or (
                two_before.kind == "word" and two_before.text not in KEYWORDS_BEFORE_A_CALL
            )
            if not qualified:
                yield here.line, f"only {CLOSER} calls close(2): ::close"
        elif here.text == "close" and tokens[index + 1].text == "(" and path.startswith("src/"):
            if before.text not in (".", "->"):
                yield here.line, f"only {CLOSER} calls close(2): close("


def check_asio_detail(_path, source, _tree):
    """No name out of asio::detail, directly, through a namespace alias or by re-opening it."""
    names, texts = {"asio"}, [token.text for token in source.tokens]
    for index, text in enumerate(texts):
        if text == "namespace" and texts[index + 2 : index + 3] == ["="]:
            end = texts.index(";", index) if ";" in texts[index:] else len(texts)
            if texts[end - 1] in names:
                names.add(texts[index + 1])
        if text not in names:
            continue
        following = texts[index + 1 : index + 4]
        if following[:2] in (["::", "detail"], ["/", "detail"]) or following == [
            "{", "namespace", "detail"]:
            yield source.tokens[index].line, f"names details of Asio: {text}::detail"


def check_guard(path, source, _tree):
    if not path.endswith(".hpp"):
        return
    name = path[len("include/") :] if path.startswith("include/") else f"interlock/{path}"
    guard = re.sub(r"[^A-Z0-9]", "_", name.upper())
    if not re.match(rf"\s*#ifndef {guard}\s*\n\s*#define {guard}\s*\n", source.code):
        yield 1, f"does not begin with the include guard {guard}"
    lines = source.text.rstrip().splitlines()
    if not lines or lines[-1] != f"#endif // {guard}":
        yield len(lines), f"does not end with '#endif // {guard}'"


def check_licence(path, text):
    named = path.endswith(LICENSED) or os.path.basename(path) in LICENSED_NAMES
    if (named or text.startswith("#!")) and LICENCE not in "\n".join(text.splitlines()[:5]):
        yield 1, f"has no line '{LICENCE}' at its top"


CXX_CHECKS = (check_room, check_includes, check_close, check_asio_detail, check_guard)


def files_of(root):
    """Returns the paths of all files below ROOT, relative to it, in a fixed order."""
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - SKIPPED_FOLDERS)
        found += [os.path.relpath(os.path.join(folder, name), root) for name in sorted(names)]
    return found


def violations(root, path, tree):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        text = file.read()
    yield from check_licence(path, text)
    if path.endswith((".hpp", ".cpp", ".ipp")):
        source = Source(text)
        for check in CXX_CHECKS:
            yield from check(path, source, tree)
    elif in_library(path):
        yield 1, "belongs to no room (see ROOMS in tools/check_layers.py)"


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        print(__doc__)
        return 2
    root = sys.argv[1] if len(sys.argv) == 2 else os.path.join(os.path.dirname(__file__), "..")
    paths = files_of(root)
    if not any(in_library(path) for path in paths):
        print(f"check_layers: {root}: no include/ and no src/")
        return 2
    count = 0
    for path in paths:
        for line, text in sorted(violations(root, path, set(paths))):
            print(f"{path}:{line}: {text}")
            count += 1
    print(f"check_layers: {len(paths)} files, {count} violations")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
