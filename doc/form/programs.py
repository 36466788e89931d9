#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Make a page of each program of example/, as DocBook.

usage: programs.py TREE > programs.xml      (the source tree)

The comment at the top of a program becomes the text of its page. What is indented in it is a command.
"""

import pathlib
import re
import sys
from xml.sax.saxutils import escape, quoteattr

ROOT = "interlock.examples"
INSTALLED = "/usr/share/doc/libinterlock-dev/examples"
LICENCE = re.compile(r"(?://(?: Copyright| SPDX).*\n)+//\n")
TOKENS = re.compile(r"""
    (?P<comment>//.*|/\*(?:.|\n)*?\*/) | (?P<preprocessor>^[ ]*\#[ ]*\w+) | (?P<string>"(?:\\.|[^"\\])*")
    | (?P<char>'(?:\\.|[^'\\])*') | (?P<word>[A-Za-z_]\w*) | (?P<number>\d(?:'?[\w.])*)""", re.M | re.X)
KEYWORDS = set("""alignas alignof asm auto bool break case catch char class co_await co_return co_yield const const_cast
    constexpr continue decltype default delete do double dynamic_cast else enum explicit extern false final float for
    friend goto if inline int long mutable namespace new noexcept nullptr operator override private protected public
    register reinterpret_cast return short signed sizeof static static_assert static_cast struct switch template this
    thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t
    while""".split())
# A part of the program that other pages show stands between these.
MARK = re.compile(r"^ *//[\[\]].*\n", re.M)


def parts_of(source):
    """The paragraphs of the comment at the top, and the code below it, without the licence and quickbook's marks."""
    source = LICENCE.sub("", source, count=1)
    comment = re.match(r"(?://(?: .*)?\n)*", source)[0]
    paragraphs = re.sub(r"^// ?", "", comment, flags=re.M).strip("\n").split("\n\n")
    return paragraphs, MARK.sub("", source[len(comment):]).strip("\n")


def highlighted(code):
    """The code with its tokens in phrases, as quickbook makes them: boostbook's own highlighting fails in long texts."""
    def phrase(found):
        role = "keyword" if found.lastgroup == "word" else found.lastgroup
        if found.lastgroup == "word" and found[0] not in KEYWORDS:
            return escape(found[0])
        return f'<phrase role="{role}">{escape(found[0])}</phrase>'

    parts, end = [], 0
    for found in TOKENS.finditer(code):
        parts += [escape(code[end:found.start()]), phrase(found)]
        end = found.end()
    return "".join(parts) + escape(code[end:])


def paragraph_xml(text):
    if text.startswith("  "):
        return f"<programlisting>{escape(text.strip())}</programlisting>"
    return f"<para>{escape(' '.join(text.split()))}</para>"


def page_xml(path):
    paragraphs, code = parts_of(path.read_text(encoding="utf-8"))
    purpose = escape(" ".join(paragraphs[0].split()))
    return "\n".join((
        f"<refentry id={quoteattr(f'{ROOT}.{path.stem}')}>",
        f"<refmeta><refentrytitle>{escape(path.name)}</refentrytitle><manvolnum/></refmeta>",
        f"<refnamediv><refname>{escape(path.name)}</refname><refpurpose>{purpose}</refpurpose></refnamediv>",
        f"<refsect1><title>Source</title>{''.join(map(paragraph_xml, paragraphs[1:]))}",
        f"<programlisting>{highlighted(code)}</programlisting></refsect1>", "</refentry>"))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    programs = sorted(pathlib.Path(sys.argv[1], "example").glob("*.cpp"))
    print(f'<section id="{ROOT}.sources"><title>The sources</title>',
          "<para>They are in the folder <code>example</code> of the source tree. Debian's package",
          f"<code>libinterlock-doc</code> has these pages, and installs the sources in <code>{INSTALLED}</code>.</para>",
          *map(page_xml, programs), "</section>", sep="\n")


if __name__ == "__main__":
    main()
