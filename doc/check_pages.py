#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check the pages that were made of the documentation.

usage: check_pages.py TOP HTML      (the source tree; the folder of the pages)

  * each link within the pages leads to a page, and to a place that is there; also those of the
    sources, since boostbook turns one that leads nowhere into mere text
  * each file of the tree that the text names exists
  * no markup of quickbook is left in the text

Exit status 0: no fault; 1: each has been printed as PAGE: TEXT.
"""

import html.parser
import os
import re
import sys

NAMED_FILE = re.compile(
    r"(?<![\w/])(?:bench|doc|example|include/interlock|src|test|tools)/\w+(?:/\w+)*"
    r"(?:\.(?:cpp|hpp|py))?(?![\w.]*\w)")
SOURCE_LINK = re.compile(r"\[link\s+([\w.]+)")
LEFTOVER = re.compile(
    r"\[(?:link|section|endsect|heading|table|include|import|template|shown|today)\b|\[[\^'*/@]|''")


class Page(html.parser.HTMLParser):
    """The places, the links and the text of one page; code is no text."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.places, self.links, self.text = set(), [], []
        self.code = 0
        with open(path, encoding="utf-8") as file:
            self.feed(file.read())

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.code += tag in ("code", "pre")
        self.places.update(attributes[name] for name in ("id", "name") if name in attributes)
        self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]

    def handle_endtag(self, tag):
        self.code -= tag in ("code", "pre")

    def handle_data(self, data):
        self.text.append((data, self.code > 0))


def pages_below(folder):
    """Returns each page by its path."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            if name.endswith(".html"):
                path = os.path.join(where, name)
                found[path] = Page(path)
    return found


def broken_links(path, page, pages):
    for link in page.links:
        if re.match(r"[a-z]+:", link):
            continue
        file, _, place = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        if not os.path.exists(target):
            yield f"a link to {link}, which does not exist"
        elif place and place not in pages[target].places:
            yield f"a link to {link}, a place that does not exist"


def missing_files(page, top):
    whole = "".join(data for data, _ in page.text)
    for name in sorted(set(NAMED_FILE.findall(whole))):
        # A program of one file may be named without the ending.
        if not any(os.path.exists(os.path.join(top, name + ending)) for ending in ("", ".cpp")):
            yield f"names {name}, which does not exist"


def leftovers(page):
    for data, is_code in page.text:
        match = None if is_code else LEFTOVER.search(data)
        if match:
            yield f"markup that was not understood: {match.group()}"


def links_to_nowhere(top, pages):
    places = {place for page in pages.values() for place in page.places}
    folder = os.path.join(top, "doc")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".qbk"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                for place in SOURCE_LINK.findall(file.read()):
                    if place not in places:
                        yield f"doc/{name}: a link to {place}, which does not exist"


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    top, folder = sys.argv[1:]
    pages = pages_below(folder)
    if not pages:
        print(f"check_pages: {folder}: no pages")
        return 1
    faults = list(links_to_nowhere(top, pages))
    for path, page in pages.items():
        for texts in (broken_links(path, page, pages), missing_files(page, top), leftovers(page)):
            faults += [f"{path}: {text}" for text in texts]
    for fault in faults:
        print(fault)
    print(f"check_pages: {len(pages)} pages, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
