#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Give the plain pages that boostbook has made their form.

usage: pages.py PLAIN HTML      (the folder of the plain pages; the folder to make)

  * each page has the contents beside its text, a search, a way to the page before and after it
  * a place is named after its section alone: page.html#section, since the page has the rest of the name
  * a name of the reference, set as code, is a link to its page
  * a picture becomes a part of the page, so that it has the page's colours
  * search_index.js has the text of each section
"""

import os
import pathlib
import re
import shutil
import sys
import xml.etree.ElementTree as xml
from xml.sax.saxutils import escape

import search
import tree

HERE = pathlib.Path(__file__).parent
REFERENCE, EXAMPLES = "interlock.reference.", "interlock.examples."
# The pages with tables of pages: the programs' pages lie in a folder beside theirs, as the reference's do.
PAGES_WITH_TABLES = ("interlock/reference.html", "interlock/examples.html")
# The headings that are in many pages, and whether the text below them is found nowhere else.
GENERATED = {"Description": True, "Source": True, "Members": False, "Each member": False, "Functions": False}
HEADINGS = ("h1", "h2", "h3", "h4", "h5")
# Highlighting knows these two and means nothing by them.
MEANINGLESS = ("identifier", "special")
LONGEST_NAME = 32
# A link in prose to these would be a riddle: they are words as well, or names of other libraries.
NOT_LINKED = {"is_valid", "to_string"}
# Without a class or a namespace before them these are members, which every object has.
OBJECT = "basic_stream_socket"
MEMBERS = ("async_close", "async_release", "get_close_handle", "to_asio")
BREAKS = re.compile(r"(?<=::)(?=\w)|(?<=[,/(<])(?=[^\s)])")


class Page:
    """One page: where it is (`path`, below the folder of the pages), its id, its title, its tree."""

    def __init__(self, folder, path):
        self.path = path.relative_to(folder).as_posix()
        self.id = self.path[:-len(".html")].replace("/", ".")
        root = tree.read(path.read_text(encoding="utf-8"))
        self.title = tree.text_of(root.find("head/title"))
        self.body = next(part for part in root.find("body") if not tree.has_class(part, "spirit-nav"))
        self.root = "../" * self.path.count("/")
        self.is_reference = self.id.startswith(REFERENCE)
        # What the search says of it, if its headings are generated.
        self.kind = "Reference" if self.is_reference else "Example" if self.id.startswith(EXAMPLES) else ""

    def link_to(self, path, place=""):
        target = os.path.relpath(path, os.path.dirname(self.path) or ".") if path != self.path else ""
        return target + ("#" + place if place else "") or "#content"


# --- The text of a page ---------------------------------------------------------------------------


def short_place(page_id, place):
    """The name of a place in the page: what its id has beyond that of the page."""
    return place[len(page_id) + 1:] if place.startswith(page_id + ".") else place


def heading_behind(parent, anchor):
    """The heading that follows an anchor with no text between them, or None."""
    following = list(parent)[list(parent).index(anchor) + 1:][:1]
    return following[0] if following and following[0].tag in HEADINGS and not (anchor.tail or "").strip() else None


def name_places(page):
    """Each place is an id of the element that it begins, under its short name."""
    parents = tree.parents(page.body)
    for anchor in [element for element in page.body.iter("a") if element.get("name") and not element.get("href")]:
        parent = parents[anchor]
        place = short_place(page.id, anchor.get("name"))
        generated = re.fullmatch(r"id\d+", place) or place == page.id
        heading = parent if parent.tag in HEADINGS else heading_behind(parent, anchor)
        if heading is not None and not generated and not heading.get("id"):
            heading.set("id", place)
        elif not generated:
            anchor.attrib = {"id": place}
            continue
        tree.unwrap(parent, anchor)


def shorten_links(page):
    for link in page.body.iter("a"):
        address = link.get("href")
        if address is None or re.match(r"[a-z]+:", address):
            continue
        file, _, place = address.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(page.path), file)) if file else page.path
        link.set("href", page.link_to(target, short_place(target[:-len(".html")].replace("/", "."), place)))
        link.attrib.pop("title", None)


def promote_headings(page):
    """The title of the page is its only heading of the first level."""
    headings = [element for element in page.body.iter() if element.tag in HEADINGS]
    for number, heading in enumerate(headings):
        heading.attrib.pop("style", None)
        if number == 0 or not page.is_reference:
            heading.tag = f"h{max(1 if number == 0 else 2, int(heading.tag[1]) - 1)}"


def refine_reference(page):
    """The title of a page of the reference, or of a program, is followed by what it is, then by the declaration."""
    names = tree.find_class(page.body, "refnamediv")
    if names is not None:
        names.find("p").text = names.find("p").text.partition(" — ")[2]
        names.find("p").set("class", "purpose")
    title = tree.find_class(page.body, "refsynopsisdiv-title")
    if title is not None:
        tree.remove(tree.parents(page.body)[title], title)


def free_place(text, taken):
    """An id made of the words of TEXT, which is then in TAKEN; one that a member has already gets an addition."""
    place = re.sub(r"\W+", "-", text.lower()).strip("-")
    while place in taken:
        place += "-section"
    taken.add(place)
    return place


def link_headings(page):
    """A heading below the title is a link to itself, to be copied."""
    taken = {element.get("id") for element in page.body.iter()}
    for heading in page.body.iter():
        if heading.tag not in HEADINGS[1:] or heading.find(".//a") is not None:
            continue
        place = heading.get("id") or free_place(tree.text_of(heading), taken)
        heading.set("id", place)
        link = xml.Element("a", {"href": "#" + place})
        link.text, heading.text = heading.text, None
        link.extend(list(heading))
        for child in list(heading):
            heading.remove(child)
        heading.append(link)


def simplify_code(page):
    parents = tree.parents(page.body)
    for span in list(page.body.iter("span")):
        if any(tree.has_class(span, name) for name in MEANINGLESS):
            tree.unwrap(parents[span], span)
            parents.update({child: parents[span] for child in parents[span]})
    for code in page.body.iter("code"):
        code.attrib.pop("class", None)
        if not list(code.iter("a")):
            text = "".join(code.itertext())
            for child in list(code):
                code.remove(child)
            code.text = text


def allow_breaks(page):
    """A name in the text may break between its parts, one as long as a sentence at its underscores, too."""
    for code in page.body.iter("code"):
        if not list(code):
            parts = [piece for part in BREAKS.split(code.text or "")
                     for piece in (re.split(r"(?<=_)", part) if len(part) > LONGEST_NAME else [part])]
            code.text = parts[0]
            for part in parts[1:]:
                xml.SubElement(code, "wbr").tail = part


def link_names(page, names):
    """The first mention of a name in a section leads to the reference."""
    seen = set()

    def visit(element):
        if element.tag in HEADINGS:
            seen.clear()
        for place, child in enumerate(list(element)):
            if child.tag == "code" and not list(child):
                name = re.sub(r"\(.*\)$", "", child.text or "")
                target = names.get(name) or names.get(name.replace("interlock::", "", 1))
                if target and target[0] != page.path and name not in seen:
                    seen.add(name)
                    link = xml.Element("a", {"href": page.link_to(*target), "class": "name"})
                    link.tail, child.tail = child.tail, None
                    element.remove(child)
                    link.append(child)
                    element.insert(place, link)
            elif child.tag not in ("a", "pre", *HEADINGS):
                visit(child)
            elif child.tag in HEADINGS:
                seen.clear()

    visit(page.body)


def embed_pictures(page, folder):
    parents = tree.parents(page.body)
    for image in list(page.body.iter("object")):
        svg = read_svg(folder / pathlib.PurePosixPath(image.get("data")).name)
        figure = xml.Element("figure", {"class": "picture", "role": "img", "aria-label": svg.get("aria-label")})
        figure.append(svg)
        figure.tail, image.tail = image.tail, None
        # A paragraph holds no figure.
        holder = parents[image]
        while holder.tag in ("span", "p"):
            image, holder = holder, parents[holder]
        holder.insert(list(holder).index(image), figure)
        tree.remove(holder, image)


def read_svg(path):
    xml.register_namespace("", "http://www.w3.org/2000/svg")
    root = xml.fromstring(path.read_text(encoding="utf-8"))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def reference_names(pages):
    """Where the reference has the names: of each page, of each member."""
    names = {}
    for page in pages:
        if not page.is_reference:
            continue
        own = page.id[len(REFERENCE):].replace(".", "::")
        if ("_" in own or "::" in own) and own not in NOT_LINKED:
            names[own] = names["interlock::" + own] = (page.path, "")
        for element in page.body.iter():
            place = element.get("id", "")
            if element.tag in ("h3", "a") and re.fullmatch(r"\w+", place):
                names[f"{own}::{place}"] = (page.path, place)
    names.update({name: names[f"{OBJECT}::{name}"] for name in MEMBERS if f"{OBJECT}::{name}" in names})
    return names


# --- What is around it ----------------------------------------------------------------------------


def entries_of(lists, base):
    """The table of contents as (title, path, place, entries)."""
    found = []
    for element in lists:
        if element.tag == "dt":
            link = next(element.iter("a"))
            path, _, place = link.get("href").partition("#")
            path = os.path.normpath(os.path.join(base, path))
            found.append((tree.text_of(link), path, short_place(path[:-len(".html")].replace("/", "."), place), []))
        elif element.tag == "dd" and element.find("dl") is not None:
            found[-1][3].extend(entries_of(element.find("dl"), base))
    return found


def table_entries(page):
    """The pages in the folder of PAGE that its tables name."""
    found = [(tree.text_of(link), os.path.normpath(os.path.join(os.path.dirname(page.path), link.get("href"))), "", [])
             for table in page.body.iter("table") for link in table.iter("a")]
    return [entry for entry in found if entry[1].startswith(page.path[:-len(".html")] + "/")]


def contents_list(entries, page, is_open):
    """The entries as a list; those below an entry for which IS_OPEN holds, too."""
    items = xml.Element("ul")
    for title, path, place, inner in entries:
        item = xml.SubElement(items, "li")
        link = xml.SubElement(item, "a", {"href": page.link_to(path, place)})
        if path == page.path and not place:
            link.set("aria-current", "page")
        link.text = title
        if inner and is_open(path, inner):
            item.append(contents_list(inner, page, is_open))
    return items


def sidebar(page, contents):
    return contents_list(contents, page, lambda path, inner: path == page.path or any(
        entry[1] == page.path for entry in inner))


def index_body(page, contents):
    """The first page: what this is, its introduction, and all that there is."""
    purpose = re.search(r"\[purpose (.*?)\]", (HERE.parent / "interlock.qbk").read_text(encoding="utf-8"), re.S)
    body = xml.Element("div")
    xml.SubElement(body, "h1").text = page.title
    xml.SubElement(body, "p", {"class": "purpose"}).text = purpose[1]
    body.extend(after_contents(page.body))
    entries = contents_list(contents, page, lambda path, inner: inner[0][1] == path)
    entries.set("class", "contents")
    body.append(entries)
    return body


def after_contents(body):
    """What stands behind the generated contents of a page."""
    contents = tree.find_class(body, "toc")
    beside = list(tree.parents(body)[contents])
    return beside[beside.index(contents) + 1:]


def neighbours(page, order):
    place = next((number for number, entry in enumerate(order) if entry[1] == page.path), None)
    links = []
    for name, label, other in (("prev", "Before", -1), ("next", "Next", 1)):
        number = 0 if place is None else place + other
        if (place is not None or name == "next") and 0 <= number < len(order):
            title, path = order[number][:2]
            links.append(f'<a rel="{name}" href="{page.link_to(path)}"><span>{label}</span> {escape(title)}</a>')
    return "\n".join(links)


def finished(page, contents, order):
    name = "Interlock" if page.path == "index.html" else f"{page.title} - Interlock"
    return (HERE / "page.html").read_text(encoding="utf-8").format(
        title=escape(name), root=page.root, kind=' class="reference"' * (page.id + ".").startswith(REFERENCE),
        contents=tree.write(sidebar(page, contents)),
        text=tree.write(page.body), neighbours=neighbours(page, order))


# --- The search -----------------------------------------------------------------------------------


def sections_of(page):
    """The text between each heading and the next: (heading, place, text)."""
    found = [[page.title, "", []]]

    def visit(element):
        if element.tag in HEADINGS:
            if element.tag != "h1":
                found.append([tree.text_of(element), element.get("id", ""), []])
            return
        found[-1][2].append(element.text or "")
        for child in element:
            visit(child)
            found[-1][2].append(child.tail or "")

    visit(page.body)
    return [(heading, place, " ".join("".join(text).split())) for heading, place, text in found]


def searched_sections(page):
    """The sections to be found. What stands below a generated heading belongs to the page, or its members' sections."""
    (title, _, whole), *others = sections_of(page)
    found = [section for section in others if not page.kind or section[0] not in GENERATED]
    return [(title, "", " ".join([whole, *(text for name, _, text in others if page.kind and GENERATED.get(name))])), *found]


def search_entries(pages):
    for page in pages:
        if page.path == "index.html":
            continue
        for heading, place, text in searched_sections(page):
            title = f"{page.title}::{heading}" if page.is_reference and place else heading
            above = page.kind if page.kind else page.title if place else ""
            yield [title, above, page.path + ("#" + place if place else ""), text]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    plain, made = map(pathlib.Path, sys.argv[1:])
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    # What an earlier run has made may lie there as well.
    manifest = next(plain.glob("*.manifest")).read_text(encoding="utf-8").split()
    pages = [Page(plain, plain / name) for name in sorted(manifest)]
    index = next(page for page in pages if page.path == "index.html")
    contents = entries_of(tree.find_class(index.body, "toc").find("dl"), "")
    for title, path, place, inner in contents:
        if path in PAGES_WITH_TABLES:
            inner.extend(table_entries(next(page for page in pages if page.path == path)))
    order = [entry for top in contents for entry in [top, *top[3]] if not entry[2]]
    for page in pages:
        for step in (name_places, shorten_links, promote_headings, refine_reference, link_headings, simplify_code):
            step(page)
        embed_pictures(page, plain.parent / "pictures")
    names = reference_names(pages)
    index.body = index_body(index, contents)
    for page in pages:
        link_names(page, names)
        allow_breaks(page)
    for page in pages:
        path = made / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(finished(page, contents, order), encoding="utf-8")
    (made / "search_index.js").write_text(search.index_script(search_entries(pages)), encoding="utf-8")
    for file in ("interlock.css", "search.js"):
        shutil.copy(HERE / file, made)


if __name__ == "__main__":
    main()
