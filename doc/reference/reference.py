#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Make the pages of the reference, as DocBook: one for each public name, with every member of a class.

usage: reference.py TREE DOXYGEN > reference.xml      (the source tree; the folder of doxygen's files)

What a comment does not say is a gap: see gaps.py. Exit status 1 if there is one, and each has been printed.
"""

import pathlib
import re
import sys
from xml.sax.saxutils import escape, quoteattr

import gaps
import text
from model import Compound, Library, arguments_of, text_of, without_arguments, written

ROOT = "interlock.reference"
ASIO = "https://www.boost.org/doc/libs/release/doc/html/boost_asio/reference/"
ASIO_FREE = ("connect_pipe", "local::connect_pair")
# Ids are names of places in addresses.
OPERATORS = (("<<", "output"), ("[]", "index"), ("==", "equal"), ("!=", "unequal"), ("=", "assign"), (" ", ""))
WIDTH = 78
NOTATION = text.tag("Notation") + """
<para><code>completion_token_for&lt;S&gt;</code> is a completion token for the signature S, as the concept of Asio's:
a function object with these parameters, or <code>use_future</code>, <code>use_awaitable</code> and their like.
<code>DEFAULT</code> is the default completion token of the executor. <code>SOCKET&lt;E&gt;</code> is the socket of the
acceptor's protocol with the executor E.</para>"""
KINDS = (
    ("Sockets, descriptors, pipes, serial ports", lambda name, item: is_object(item)),
    ("Their usual names", lambda name, item: item.kind == "typedef"),
    ("Closing", lambda name, item: item.kind in ("class", "struct") and name.startswith("clos") or item.kind == "enum"
     or name in ("fd_lease", "stack_report", "slow_close") or name.startswith("borrowed")),
    ("Functions", lambda name, item: item.kind == "function"),
    ("Asio's templates for a closable protocol", lambda name, item: item.kind in ("class", "struct")),
    ("Macros", lambda name, item: True),
)


def is_object(item):
    return isinstance(item, Compound) and any(base.simple_name == "closing_members" for base, _ in LIBRARY.lineage(item))


def identity(name, member=None):
    """The id of a page, or of a member in it; the files are named after these."""
    names = [ROOT, *name.split("::")] + ([member.replace("~", "destructor-")] if member else [])
    for operator, word in OPERATORS:
        names = [name.replace(f"operator{operator}", f"operator-{word}") for name in names]
    return ".".join(names)


def asio_page(page, member=None):
    address = ASIO + page.replace("::", "__")
    if member:
        address += "/" + member.replace("operator=", "operator_eq_").replace("~", "_")
    return address + ".html"


# --- Declarations ---------------------------------------------------------------------------------


def declared(kind, name, default):
    return f"{kind} {name}".replace("  ", " ").strip() + (f" = {default}" if default else "")


def bracketed(opening, parts, closing):
    """The parts in one line, or in a line each."""
    line = opening + ", ".join(parts) + closing
    return line if len(line) <= WIDTH else opening + "\n  " + ",\n  ".join(parts) + closing


def template_line(item):
    parts = [declared(*parameter) for parameter in item.template()]
    return bracketed("template <", parts, ">") + "\n" if parts else ""


def function_code(item, name):
    parts = []
    for kind, parameter, default, array in item.parameters():
        parts.append(declared(kind, parameter, default) if not array else f"{kind} {parameter}{array}")
    before = "explicit " if item.element.get("explicit") == "yes" else ""
    before += "static " if item.element.get("static") == "yes" else ""
    result = item.code("type").replace("constexpr ", "")
    after = (" const" if item.element.get("const") == "yes" else "") + (
        " noexcept" if item.element.get("noexcept") == "yes" else "")
    after += " = delete" if "=delete" in item.code("argsstring").replace(" ", "") else ""
    return template_line(item) + bracketed(before + f"{result} {name}(".lstrip(), parts, f"){after};")


def code_of(item, name):
    if item.kind == "function":
        return function_code(item, name)
    if item.kind == "typedef":
        return f"{template_line(item)}using {name} = {item.code('type')};"
    if item.kind == "variable":
        value = written(text_of(item.element.find("initializer"))).lstrip("= ")
        return f"{item.code('type')} {name}{' = ' * (value[:1] not in ('{', '')) + value};"
    if item.kind == "enum":
        values = [text_of(value.find("name")) for value in item.element.findall("enumvalue")]
        return f"enum {'class ' * (item.element.get('strong') == 'yes')}{name}\n{{\n  " + ",\n  ".join(values) + "\n};"
    if item.kind == "define":
        parameters = [text_of(parameter) for parameter in item.element.findall("param/defname")]
        value = text_of(item.element.find("initializer"))
        return f"#define {name}" + (f"({', '.join(parameters)})" if parameters else "") + f" {value}"
    # A nested struct: rebind_executor.
    inner = [f"  using {other.name} = {other.code('type')};" for other in item.own(())]
    return f"{template_line(item)}struct {name}\n{{\n" + "\n".join(inner) + "\n};"


# --- Members --------------------------------------------------------------------------------------


def blocks_of(overloads):
    """Overloads that share a description: a further one that describes itself begins another block."""
    blocks = []
    for item in overloads:
        if not blocks or text_of(item.detail) and any(text_of(other.detail) for other in blocks[-1]):
            blocks.append([])
        blocks[-1].append(item)
    return blocks


def signatures_of(overloads):
    """The completion signatures, if no comment says more about them."""
    if any(item.titled("Completion Signature") is not None for item in overloads):
        return ""
    found = dict.fromkeys(filter(None, (item.completion_signature() for item in overloads)))
    return text.tag("Completion Signature") + text.listing("\n".join(found)) if found else ""


def details(overloads, asio):
    """What the comments say beyond their first sentences, each once."""
    return list(dict.fromkeys(part for item in overloads for part in text.description(item, asio)))


def described(overloads, asio, first_brief=True):
    """What the overloads are for, each once, then their descriptions; the errors come after the completion signature."""
    briefs = dict.fromkeys(filter(None, map(text.brief, overloads if first_brief else overloads[1:])))
    said = [f"<para>{brief}</para>" for brief in briefs if first_brief or brief != text.brief(overloads[0])]
    said += [part for part in details(overloads, asio) if part not in said]
    errors = next((n for n, part in enumerate(said) if part.startswith(text.tag("Error Codes"))), len(said))
    return said[:errors] + [signatures_of(overloads)] + said[errors:]


def by_brief(block):
    """The overloads of a block, gathered by their first sentence; one without joins those before it."""
    found, brief = {}, ""
    for item in block:
        brief = text.brief(item) or brief
        found.setdefault(brief, []).append(item)
    return found.items()


def overload_blocks(overloads, name, asio, is_constructor=False):
    """The code of overloads, each above its first sentence.

    What the first of a block says beyond that holds for them all, and comes last; a constructor speaks for itself.
    """
    for block in blocks_of(overloads):
        groups = list(by_brief(block))
        shared = details(groups[0][1], asio) if len(groups) > 1 and not is_constructor else []
        for number, (brief, group) in enumerate(groups):
            yield text.listing("\n\n".join(code_of(item, name) for item in group))
            if shared and number == 0:
                yield f"<para>{brief}</para>" + signatures_of(group)
            else:
                yield from described(group, asio)
        yield from [text.tag("Each of These Overloads"), *shared] if shared else []


def member_section(page, name, overloads):
    title = f"<refsect2 id={quoteattr(identity(page, name))}><title><code>{escape(name)}</code></title>"
    is_constructor = name == page.rpartition("::")[2]
    return "\n".join([title, *overload_blocks(overloads, name, asio_page(page, name), is_constructor), "</refsect2>"])


def brief_of(overloads):
    return next(filter(None, map(text.brief, overloads)), "")


def table(title, rows):
    if not rows:
        return ""
    entries = "".join(f"<row><entry>{name}</entry><entry>{what}</entry></row>" for name, what in rows)
    return (f"<para role='tag'>{escape(title)}</para><informaltable frame='all' role='names'><tgroup cols='2'>"
            f"<tbody>{entries}</tbody></tgroup></informaltable>")


def linked(name, page, member=None):
    return f"<link linkend={quoteattr(identity(page, member))}><code>{escape(name)}</code></link>"


def member_tables(page, groups):
    rows = {"Types": [], "Data": [], "Interlock's own contract": [], "Asio's contract": []}
    for name, overloads in groups.items():
        kind = overloads[0].kind
        where = ("Types" if kind in ("typedef", "struct", "enum") else "Data" if kind == "variable"
                 else "Asio's contract" if gaps.is_said(overloads, text.SAID_BY_ASIO) else "Interlock's own contract")
        rows[where].append((linked(name, page, name), brief_of(overloads)))
    if not rows["Asio's contract"]:
        rows = {{"Interlock's own contract": "Functions"}.get(title, title): names for title, names in rows.items()}
    return "".join(table(title, names) for title, names in rows.items())


# --- Pages ----------------------------------------------------------------------------------------


def class_code(page, items):
    compound = items[0]
    shown = compound.full_name if compound.specialised else f"interlock::{page}"
    code = template_line(compound) + f"{compound.kind} {written(shown) if compound.specialised else shown};"
    for alias in items[1:]:
        if alias.kind == "typedef":
            code += f"\n\n// In namespace interlock:\n{code_of(alias, alias.name)}"
    return code


def enumerators(page, item):
    rows = []
    for value in item.element.findall("enumvalue"):
        name = text_of(value.find("name"))
        place = quoteattr(identity(page, name))
        what = text.inline(value.find("briefdescription/para")) or text.inline(value.find("detaileddescription/para"))
        rows.append((f"<anchor id={place}/><code>{escape(name)}</code>", what))
    return table("Enumerators", rows)


def foreign(page, compound):
    links = [f"<ulink url={quoteattr(asio_page(name.replace('boost::asio::', '')))}><code>{escape(name)}</code></ulink>"
             for name in dict.fromkeys(LIBRARY.foreign_bases(compound)) if "<" not in name]
    return f"<para>The names of {' and '.join(links)} are members, too.</para>" if links else ""


def class_body(page, items):
    compound = items[0]
    special = (compound.simple_name, "~" + compound.simple_name, "operator=")
    groups = dict(sorted(LIBRARY.members(compound).items(), key=lambda group: (group[0] not in special, group[0])))
    sections = [member_section(page, name, overloads) for name, overloads in groups.items()]
    free = [item for item in items[1:] if item.kind == "function"]
    sections += [member_section(page, item.name, [item]) for item in free]
    body = "\n".join(text.description(compound, asio_page(page)))
    yield f"<refsect1><title>Description</title>{body}{foreign(page, compound) or '<para/>'}</refsect1>"
    if groups:
        yield f"<refsect1><title>Members</title>{member_tables(page, groups)}</refsect1>"
        yield "<refsect1><title>Each member</title>" + "\n".join(sections) + "</refsect1>"


def alias_of(page, item):
    """What a type alias stands for: the class template, where all members are, and its arguments."""
    if item.kind != "typedef":
        return []
    named, space = without_arguments(item.code("type")), page.rpartition("::")[0]
    target = next((name for name in (f"{space}::{named}", named) if name in LIBRARY.pages), None)
    if target is None:
        return []
    defaults = [default for _, _, default in LIBRARY.pages[target][0].template()]
    arguments = ", ".join(f"<code>{escape(name)}</code>" for name in arguments_of(item.code("type")) or defaults)
    what = f"for {arguments}" if arguments else "with its default arguments"
    return [f"<para>An alias of {linked(target, target)} {what}. All its members are described there.</para>"]


def free_body(page, items):
    first = items[0]
    same = [item for item in items if item.name == first.name]
    asio = asio_page(page) if page in ASIO_FREE else None
    blocks = blocks_of(same)
    parts = alias_of(page, first) + described(blocks[0], asio, first_brief=False)
    for block in blocks[1:]:
        parts += overload_blocks(block, first.name, asio)
    if first.kind == "enum":
        parts.append(enumerators(page, first))
    yield "<refsect1><title>Description</title>" + "\n".join(parts) + "<para/></refsect1>"
    others = [item for item in items if item.name != first.name]
    if others:
        yield "<refsect1><title>Functions</title>" + "\n".join(
            member_section(page, item.name, [item]) for item in others) + "</refsect1>"


def page_xml(page, items):
    first = items[0]
    is_class = isinstance(first, Compound)
    same = [item for item in items if item.name == first.name]
    code = class_code(page, items) if is_class else "\n\n".join(code_of(item, item.name) for item in blocks_of(same)[0])
    if first.kind != "define":
        code = f"#include <{first.header}>\n\n{code}"
    body = class_body(page, items) if is_class else free_body(page, items)
    return "\n".join((
        f"<refentry id={quoteattr(identity(page))}>",
        f"<refmeta><refentrytitle>{escape(page)}</refentrytitle><manvolnum/></refmeta>",
        f"<refnamediv><refname>{escape(page)}</refname><refpurpose>{brief_of(same)}</refpurpose></refnamediv>",
        f"<refsynopsisdiv>{text.listing(code)}</refsynopsisdiv>", *body, "</refentry>"))


def contents():
    """The tables of the reference's first page."""
    rest = dict(LIBRARY.pages)
    for title, belongs in KINDS:
        rows = [(linked(name, name), brief_of(items)) for name, items in rest.items() if belongs(name, items[0])]
        rest = {name: items for name, items in rest.items() if not belongs(name, items[0])}
        yield table(title, sorted(rows))


def main():
    global LIBRARY
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    text.TREE = pathlib.Path(sys.argv[1])
    LIBRARY = Library(sys.argv[2])
    pages = [page_xml(name, items) for name, items in sorted(LIBRARY.pages.items())]
    print(f'<section id="{ROOT}"><title>Reference</title>', *contents(), NOTATION, *pages, "</section>", sep="\n")
    found = list(gaps.find(LIBRARY, is_object))
    print(*found, f"reference: {len(pages)} pages, {len(found)} gaps", sep="\n", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
