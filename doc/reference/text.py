# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""The text of comments: from what doxygen has made of it to DocBook.

A name in the text is set as code. A link to example:FILE#PART becomes that part of the program, which quickbook's
marks delimit: the tests build and run what a page shows.
"""

import pathlib
import re
import textwrap
from xml.sax.saxutils import escape, quoteattr

TREE = pathlib.Path(".")
# A page of the system's manual; a qualified or composed name, a macro, a call.
NAME = re.compile(r"\b(?:\w+/)+\w+\.hpp|\b[a-z]\w*\(\d\)|~?\b(?:(?:\w+::)+\w+|[a-z]+[0-9]*(?:_[a-z0-9]+)+|"
                  r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:\(\))?")
BLOCKS = ("programlisting", "itemizedlist", "orderedlist", "parameterlist", "simplesect")
# The title of what "@asio" begins.
SAID_BY_ASIO = "As in Boost.Asio"
SIMPLE = {"return": "Returns", "note": "Note", "see": "See Also", "pre": "Preconditions"}
PARAMETERS = {"param": "Parameters", "templateparam": "Template Parameters", "exception": "Exceptions"}


def tag(title):
    return f"<para role='tag'>{escape(title)}</para>"


def plain(words):
    """Text, with the names in it as code."""
    parts, end = [], 0
    for found in NAME.finditer(words or ""):
        parts += [escape(words[end:found.start()]), f"<code>{escape(found[0])}</code>"]
        end = found.end()
    return "".join(parts) + escape((words or "")[end:])


def inline(element):
    """What stands in a paragraph, its blocks excluded."""
    if element is None:
        return ""
    parts = [plain(element.text)]
    for child in element:
        if child.tag in ("computeroutput", "verbatim"):
            # doxygen takes a colon behind a word of code for a part of it.
            code = "".join(child.itertext())
            colon = ":" if code.endswith(":") else ""
            parts.append(f"<code>{escape(code.removesuffix(':'))}</code>{colon}")
        elif child.tag == "emphasis":
            parts.append(f"<emphasis>{inline(child)}</emphasis>")
        elif child.tag == "ulink" and not child.get("url").startswith("example:"):
            parts.append(f"<ulink url={quoteattr(child.get('url'))}>{inline(child)}</ulink>")
        elif child.tag == "linebreak":
            parts.append(" ")
        elif child.tag not in BLOCKS and child.tag != "ulink":
            parts.append(inline(child))
        parts.append(plain(child.tail))
    return re.sub(r"\s+", " ", "".join(parts)).strip()


def program_part(address):
    """The part of a program that is named after the number sign."""
    file, _, part = address.partition("#")
    source = (TREE / file).read_text(encoding="utf-8")
    found = re.search(rf"^ *//\[{part}\n(.*?)^ *//\]", source, re.S | re.M)
    return textwrap.dedent(re.sub(r"^ *//[\[\]].*\n", "", found[1], flags=re.M)).strip("\n")


def listing(code):
    return f'<programlisting language="c++">{escape(code)}</programlisting>'


def code_lines(block):
    lines = []
    for line in block.findall("codeline"):
        for space in line.iter("sp"):
            space.text = " "
        lines.append("".join(line.itertext()))
    return "\n".join(lines).strip("\n")


def named(items, title):
    entries = []
    for item in items.findall("parameteritem"):
        names = ", ".join(f"<code>{escape(''.join(name.itertext()).strip())}</code>"
                          for name in item.findall("parameternamelist/parametername"))
        entries.append(f"<varlistentry><term>{names}</term><listitem>"
                       f"{''.join(blocks(item.find('parameterdescription')))}</listitem></varlistentry>")
    return f"{tag(title)}<variablelist>{''.join(entries)}</variablelist>"


def as_in_asio(block, asio):
    """The sentence that refers to Asio's page, and what the comment adds to it."""
    label = asio.rsplit("/boost_asio/reference/", 1)[1][:-len(".html")].replace("/", "::").replace("__", "::")
    label = label.replace("operator_eq_", "operator=")
    sentence = f"The contract is Asio's: <ulink url={quoteattr(asio)}><code>{escape(label)}</code></ulink>."
    return f"<para>{sentence}</para>" + "".join(blocks(block, skip="title"))


def block(element, asio):
    if element.tag == "programlisting":
        return listing(code_lines(element))
    if element.tag in ("itemizedlist", "orderedlist"):
        items = "".join(f"<listitem>{''.join(blocks(item))}</listitem>" for item in element.findall("listitem"))
        return f"<{element.tag}>{items}</{element.tag}>"
    if element.tag == "parameterlist":
        return named(element, PARAMETERS.get(element.get("kind"), "Values"))
    title = "".join((element.find("title").itertext())) if element.find("title") is not None else None
    if title == SAID_BY_ASIO:
        return as_in_asio(element, asio)
    return tag(title or SIMPLE.get(element.get("kind"), "Note")) + "".join(blocks(element, skip="title"))


def shell_of(paragraph):
    """The paragraph's runs of text between its blocks, and the blocks, in their order."""
    run = type(paragraph)("para")
    run.text = paragraph.text
    for child in paragraph:
        if child.tag in BLOCKS or child.tag == "ulink" and child.get("url").startswith("example:"):
            yield run
            yield child
            run = type(paragraph)("para")
            run.text = child.tail
        else:
            run.append(child)
    yield run


def blocks(element, asio=None, skip=None):
    """The paragraphs and blocks of a description."""
    for paragraph in element if element is not None else ():
        if paragraph.tag == skip:
            continue
        for part in [paragraph] if paragraph.tag in BLOCKS else shell_of(paragraph):
            if part.tag == "para":
                words = inline(part)
                if words:
                    yield f"<para>{words}</para>"
            elif part.tag == "ulink":
                yield listing(program_part(part.get("url")[len("example:"):]))
            else:
                yield block(part, asio)


def brief(item):
    """The first sentence of a comment, or its first paragraph."""
    found = item.brief.find("para") if item.brief is not None else None
    return inline(found)


def description(item, asio):
    """What the comment says beyond its first sentence."""
    return list(blocks(item.detail, asio))
