#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check the rules of structure and of language that no compiler checks.

usage: check_layers.py [TREE]      (default: the tree that contains this script)

Structure:
  * each file of include/ and src/ belongs to a room and includes its own room or an earlier one
  * rooms 0 to 4 and src/ never include Asio or Beast
  * no file, tests included, includes or names a part of asio::detail
  * a project header exists and is included as <interlock/...>
  * no file of the library includes an adapter
  * src/a/b.cpp has a header include/interlock/a/b.hpp
  * one source calls close(2), by the undefined symbols of the compiled sources; no header does (detail/sys names it)
  * the rooms from the descriptor to the core, and the groups, order their threads, and call the system, through
    detail/sys
Form:
  * an include guard is named after the path of its header, and the last line closes it
  * each source file carries the licence line
  * a file of include/ or src/ has at most 550 lines, a function at most 30 (ctags finds the functions)
Names that a program would find:
  * a function template of detail is in detail::functions, and detail::bases has no function
  * what is private or protected in a base of a program's class begins with interlock_, or is Asio's impl_
Language:
  * no comment of include/, src/, test/, bench/, example/ or tools/ and no line of README.md calls code
    or a thread a person

Exit status 0: no violation; 1: each has been printed as FILE:LINE: TEXT.
"""

import fnmatch
import os
import re
import subprocess
import sys
import tempfile

# The number of a room is its place in this list. Names are paths below include/interlock/ and src/
# without the ending; the first match counts. fd_lease needs no Asio, hence its room.
ROOMS = (
    "config detail/probes detail/sys",
    "detail/words error borrowed closable_executor close_mode close_outcome close_report close_statistics close_tally stack_report slow_close",
    "detail/descriptor/*",
    "detail/closing/*",
    "detail/tenure/* fd_lease",
    "close_service",
    "detail/core/*",
    "detail/members/* basic_* posix/basic_* close_handle",
    "interlock closable ip/* local/* generic/* posix/* *_pipe serial_port close_group detail/groups/*",
    "detail/adapt/* async_close",
    "adapt/*",
)
LAST_WITHOUT_ASIO = 4
ADAPTERS = 10
MAX_FILE = 550
MAX_FUNCTION = 30
CLOSER = "src/detail/descriptor/close_descriptor.cpp"
SYS = "include/interlock/detail/sys.hpp"
CLOSING = {"close", "close_range", "closefrom", "syscall"}
COMPILER = ["g++", "-std=c++17", "-O0", "-Iinclude", "-c"]

SKIPPED_FOLDERS = {".git", "bin", "build", "stage", "__pycache__"}
CXX = (".hpp", ".cpp", ".ipp")
LICENSED = (*CXX, ".py", ".sh", ".jam", ".cmake", ".in", ".qbk", "Jamroot", "Jamfile", "CMakeLists.txt")
LICENCE = "SPDX-License-Identifier: BSL-1.0"

# Literals match too, so that a comment mark within one begins no comment.
COMMENT = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])'|(//[^\n]*|/\*.*?\*/)", re.S)
# The same for Python, where documentation is a literal, and for the shell, b2 and Lua.
SCRIPT_COMMENT = re.compile(
    r"(\"\"\".*?\"\"\"|(?<!\S)(?:#|--\s)[^\n]*)|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(?:([<\"])([^>\"]+)|\w+)", re.M)
ASIO = re.compile(r"(boost/)?(asio|beast)(\.hpp$|/)")
CLOSE = re.compile(r"(?<![\w>])::(?:close|syscall)\b|\b(?:close_range|closefrom|(?:SYS|__NR)_close\w*)\b")

# Where each of these is detail::sys's: in whole rooms, and in a folder but for what a run has in another form. The
# functions that are allowed touch no descriptor.
UNDER_SYS = (2, 3, 4, 6)
FOLDER_UNDER_SYS = "include/interlock/detail/groups/"
REPLACED_IN_RUNS = FOLDER_UNDER_SYS + "group_timers.hpp"
PAST_SYS = re.compile(
    r"\bstd::(?:atomic\w*|\w*mutex|condition_variable\w*|j?thread|this_thread|future|promise|async|call_once)\b"
    r"|\bsteady_clock\b"
    r"|\bthread_local (?!sys::)|(?<![\w:>])::(?!(?:cfmakeraw|pthread_self|sigfillset)\()[a-z]\w*(?=\()")

# Classes from which a program's classes derive.
DETAIL = "interlock::abi_0::detail"
BASE = re.compile(rf"{DETAIL}::bases::\w+|(?:boost::asio|interlock::abi_0)::(?:ip::|posix::)?basic_\w+"
                  r"|interlock::abi_0::closable")

PERSON = re.compile(
    r"\b(who|whoever|whom|(?:some|no|any|every)body|(?:some|any|every)one|s?he|him|his|hers?|(?:him|her)self)\b",
    re.I)
CHECKED_FOLDERS = ("include/", "src/", "test/", "bench/", "example/", "tools/")


def in_library(path):
    return path.startswith(("include/", "src/"))


def room_of(path):
    """Returns the room of a file of the library, or None if it has none."""
    name = re.sub(r"^(include/interlock|include|src)/|\.[hc]pp$", "", path)
    for room, patterns in enumerate(ROOMS if in_library(path) else ()):
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns.split()):
            return room
    return None


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def without_comments(text):
    """Returns TEXT with blanks in place of comments, so that positions and lines stay."""
    return COMMENT.sub(lambda found: re.sub(r".", " ", found[0]) if found[1] else found[0], text)


def check_room(path, tree):
    room = room_of(path)
    if room is None:
        yield 1, "belongs to no room (see ROOMS in tools/check_layers.py)"
    elif path.startswith("src/"):
        if room > LAST_WITHOUT_ASIO:
            yield 1, f"room {room} stands beyond the Asio line, so it cannot be in src/"
        header = "include/interlock/" + re.sub(r"^src/|\.cpp$", "", path) + ".hpp"
        if header not in tree:
            yield 1, f"has no header {header}"


def include_fault(path, quoted, header, tree):
    """Returns what is wrong with one include, or None."""
    mine, other = room_of(path), room_of(f"include/{header}")
    ours = re.search(r"(^|/)interlock(/|\.hpp$)", header)
    if quoted and (ours or in_library(path)):
        return f'"{header}" is to be included as <interlock/...>'
    if ours and f"include/{header}" not in tree:
        return f"no such header: <{header}>"
    if mine is None:
        return None
    if ASIO.match(header) and mine <= LAST_WITHOUT_ASIO:
        return f"room {mine} may not include Asio: <{header}>"
    if other == ADAPTERS:
        return f"no file of the library includes an adapter: <{header}>"
    if ours and other is not None and other > mine:
        return f"room {mine} may not include room {other}: <{header}>"
    return None


def check_code(path, code, tree):
    for found in INCLUDE.finditer(code):
        fault = "an include of a macro cannot be checked"
        if found[1]:
            fault = include_fault(path, found[1] == '"', found[2], tree)
        if fault:
            yield line_of(code, found.start()), fault
    names, before = "asio", ""
    while names != before:
        before = names
        names = "|".join(["asio", *re.findall(rf"\bnamespace (\w+) = [\w:]*\b(?:{names});", code)])
    for found in re.finditer(rf"\b({names})\s*(::|/|{{\s*namespace)\s*detail\b", code):
        yield line_of(code, found.start()), f"names details of Asio: {found[0]}"
    for found in CLOSE.finditer(code if path.startswith("include/") and path != SYS else ""):
        yield line_of(code, found.start()), f"a header calls {found[0]}"


def is_under_sys(path):
    return room_of(path) in UNDER_SYS or path.startswith(FOLDER_UNDER_SYS) and path != REPLACED_IN_RUNS


def check_sys(path, code):
    for found in PAST_SYS.finditer(code if is_under_sys(path) else ""):
        yield line_of(code, found.start()), f"does not come from detail::sys: {found[0].strip()}"


def check_guard(path, text, code):
    guard = re.sub(r"\W", "_", re.sub("^include/", "", path)).upper()
    if not path.startswith("include/"):
        guard = f"INTERLOCK_{guard}"
    begins = re.match(rf"\s*#ifndef {guard}\n#define {guard}\n", code)
    if not begins or not text.endswith(f"\n#endif // {guard}\n"):
        yield 1, f"does not begin and end with the include guard {guard}"


def check_words(path, text):
    """Yields the words for persons: in a page anywhere, in a source or a script in comments."""
    pieces = [re.match("(.*)", text, re.S)]
    if path.startswith(CHECKED_FOLDERS):
        pieces = (COMMENT if path.endswith(CXX) else SCRIPT_COMMENT).finditer(text)
    for piece in pieces:
        for found in PERSON.finditer(piece[1] or ""):
            yield line_of(text, piece.start() + found.start()), f"code is no person: {found[1]}"


def violations(path, tree):
    text = tree[path]
    if (path.endswith(LICENSED) or text.startswith("#!")) and LICENCE not in text[:300]:
        yield 1, f"has no line '{LICENCE}' at its top"
    if path.endswith(CXX):
        code = without_comments(text)
        yield from check_code(path, code, tree)
        yield from check_sys(path, code)
        if path.endswith(".hpp"):
            yield from check_guard(path, text, code)
    if in_library(path):
        yield from check_room(path, tree)
        if text.count("\n") > MAX_FILE:
            yield MAX_FILE + 1, f"has more than {MAX_FILE} lines"
    if path == "README.md" or path.startswith(CHECKED_FOLDERS):
        yield from check_words(path, text)


def faults_of(tree):
    """Returns the faults that the text shows; TREE maps paths to texts."""
    return [f"{path}:{line}: {text}" for path in tree for line, text in sorted(violations(path, tree))]


def close_callers(root, paths):
    """Yields the sources that need a function that closes a descriptor; CLOSER, if it needs none."""
    for path in paths:
        with tempfile.NamedTemporaryFile(suffix=".o") as made:
            if subprocess.run([*COMPILER, path, "-o", made.name], cwd=root, check=False).returncode:
                yield f"{path}:1: does not compile"
                continue
            listed = subprocess.run(["nm", "-u", made.name], stdout=subprocess.PIPE, text=True, check=True)
        needed = CLOSING & set(listed.stdout.split())
        if bool(needed) != (path == CLOSER):
            yield f"{path}:1: needs {sorted(needed)}; {CLOSER}, and no other, calls close(2)"


def long_functions(root):
    """Yields the functions below ROOT that are too long; needs Universal Ctags."""
    command = "ctags -x -R --fields=+e --kinds-C++=f --_xformat=%{end}\t%n\t%F\t%N include src"
    listed = subprocess.run(command.split(" "), cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    for line in listed.stdout.splitlines():
        end, begin, path, name = line.split("\t")
        if end.isdigit() and int(end) - int(begin) >= MAX_FUNCTION:
            yield f"{path}:{begin}: {name} has more than {MAX_FUNCTION} lines"


def leaking_names(root):
    """Yields the names below ROOT that a program's calls or classes find; needs Universal Ctags."""
    columns = "%Z\t%K\t%N\t%a\t%{C++.template}\t%F:%n\t%C"
    command = ["ctags", "-x", "-R", "--kinds-C++=+p", "--fields=+aZK", "--fields-C++=+{template}",
               f"--_xformat={columns}", "include"]
    listed = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    for line in listed.stdout.splitlines():
        scope, kind, name, access, template, place, code = line.split("\t", 6)
        is_function = kind in ("function", "prototype") and "friend " not in code
        if is_function and template and scope == DETAIL:
            yield f"{place}: {name} is a function template outside of detail::functions"
        elif is_function and scope == f"{DETAIL}::bases":
            yield f"{place}: {name} is a function in detail::bases"
        elif access in ("private", "protected") and BASE.fullmatch(scope):
            if not re.match(rf"interlock_|impl_$|operator\b|~|{scope.split('::')[-1]}$", name):
                yield f"{place}: {name} hides a program's name; it has to begin with interlock_"


def read_tree(root):
    """Returns the text of each file below ROOT by its relative path, in a fixed order."""
    tree = {}
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - SKIPPED_FOLDERS)
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8", errors="replace") as file:
                tree[os.path.relpath(path, root)] = file.read()
    return tree


def root_of_tree():
    return sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")


def report(name, counted, faults):
    """Prints FAULTS; returns the exit status."""
    for fault in faults:
        print(fault)
    print(f"{name}: {counted}, {len(faults)} faults")
    return 1 if faults else 0


def main():
    root = root_of_tree()
    tree = read_tree(root)
    sources = [path for path in tree if path.startswith("src/") and path.endswith(".cpp")]
    faults = [] if CLOSER in tree else [f"{CLOSER}:1: no such file"]
    faults += [*faults_of(tree), *close_callers(root, sources), *long_functions(root), *leaking_names(root)]
    return report("check_layers", f"{len(tree)} files", faults)


if __name__ == "__main__":
    sys.exit(main())
