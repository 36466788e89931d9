# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""A page of HTML as a tree, and what is asked of such a tree."""

import html.parser
import xml.etree.ElementTree as xml

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"}


class Reader(html.parser.HTMLParser):
    """Builds the tree of a page in which every element that is not void has its end."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.builder = xml.TreeBuilder()

    def handle_starttag(self, tag, attrs):
        self.builder.start(tag, {name: value or "" for name, value in attrs if not name.startswith("xmlns")})
        if tag in VOID:
            self.builder.end(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            self.builder.end(tag)

    def handle_data(self, data):
        self.builder.data(data)


def read(text):
    reader = Reader()
    reader.feed(text[text.index("<html"):].rstrip())
    return reader.builder.close()


def write(element):
    return xml.tostring(element, encoding="unicode", method="html")


def text_of(element):
    return " ".join("".join(element.itertext()).split())


def has_class(element, name):
    return name in element.get("class", "").split()


def find_class(element, name):
    return next((found for found in element.iter() if has_class(found, name)), None)


def parents(element):
    """The parent of each element below this one."""
    return {child: parent for parent in element.iter() for child in parent}


def remove(parent, child):
    """Takes CHILD away; the text behind it stays."""
    place = list(parent).index(child)
    if child.tail:
        if place:
            parent[place - 1].tail = (parent[place - 1].tail or "") + child.tail
        else:
            parent.text = (parent.text or "") + child.tail
    parent.remove(child)


def unwrap(parent, child):
    """Puts what CHILD contains in its place."""
    place = list(parent).index(child)
    before = child.text or ""
    if place:
        parent[place - 1].tail = (parent[place - 1].tail or "") + before
    else:
        parent.text = (parent.text or "") + before
    inner = list(child)
    if inner:
        inner[-1].tail = (inner[-1].tail or "") + (child.tail or "")
    elif place:
        parent[place - 1].tail += child.tail or ""
    else:
        parent.text += child.tail or ""
    parent.remove(child)
    for offset, element in enumerate(inner):
        parent.insert(place + offset, element)
