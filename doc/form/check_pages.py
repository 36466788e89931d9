#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Check the pages that were made of the documentation.

usage: check_pages.py TREE HTML      (the source tree; the folder of the pages)

  * no two pages have one title, no two elements of a page have one id
  * each link within the pages leads to a page that exists, and to a place that exists in it
  * so does each link in a source of the pages: boostbook makes mere text of one that leads nowhere
  * each file of the tree that the text names exists
  * no markup of quickbook is left in the text

Exit status 0: no fault; 1: each has been printed as PAGE: TEXT.
"""

import collections
import html.parser
import pathlib
import re
import sys

NAMED_FILE = re.compile(
    r"(?<![\w/])(?:bench|doc|example|include/interlock|src|test|tools)/\w+(?:/\w+)*"
    r"(?:\.(?:cpp|hpp|py))?(?![\w.]*\w)")
SOURCE_LINK = re.compile(r"\[link\s+([\w.]+)")
LEFTOVER = re.compile(
    r"\[(?:link|section|endsect|heading|table|include|import|template|shown|today)\b|\[[\^'*/@]|''")


class Page(html.parser.HTMLParser):
    """The places, the links and the text of one page; PROSE is the text that is not code."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.title, self.places, self.links, self.text, self.prose, self.code = "", set(), [], "", [], 0
        self.ids = collections.Counter()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.code += tag in ("code", "pre")
        self.places.update(value for name, value in attrs if name in ("id", "name"))
        self.ids.update(value for name, value in attrs if name == "id")
        self.links += [value for name, value in attrs if name in ("href", "src") and value]

    def handle_endtag(self, tag):
        self.code -= tag in ("code", "pre")

    def handle_data(self, data):
        if self.lasttag == "title" and not self.title:
            self.title = data
            return
        self.text += data
        if not self.code:
            self.prose.append(data)


def broken_links(path, page, pages):
    for link in page.links:
        if re.match(r"[a-z]+:", link):
            continue
        file, _, place = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists():
            yield f"a link to {link}, which does not exist"
        elif place and place not in pages[target].places:
            yield f"a link to {link}, a place that does not exist"


def faults_of_page(path, page, pages, top):
    yield from broken_links(path, page, pages)
    yield from (f"{number} elements have the id {place}" for place, number in page.ids.items() if number > 1)
    for name in sorted(set(NAMED_FILE.findall(page.text))):
        # A program of one file may be named without the ending.
        if not (top / name).exists() and not (top / f"{name}.cpp").exists():
            yield f"names {name}, which does not exist"
    for found in filter(None, map(LEFTOVER.search, page.prose)):
        yield f"markup that was not understood: {found[0]}"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    top, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    pages = {path: Page(path) for path in sorted(folder.rglob("*.html"))}
    faults = [] if pages else [f"{folder}: no pages"]
    # The pages name a place without what its page's name says: quickbook's id is that of both.
    places = set()
    for path, page in pages.items():
        name = path.relative_to(folder).with_suffix("").as_posix().replace("/", ".")
        places |= {name, *(f"{name}.{place}" for place in page.places)}
    for source in sorted(top.glob("doc/*.qbk")):
        for place in SOURCE_LINK.findall(source.read_text(encoding="utf-8")):
            if place not in places:
                faults.append(f"doc/{source.name}: a link to {place}, which does not exist")
    titles = collections.Counter(page.title for page in pages.values())
    faults += [f"{number} pages have the title {title}" for title, number in titles.items() if number > 1]
    for path, page in pages.items():
        faults += [f"{path}: {fault}" for fault in faults_of_page(path, page, pages, top)]
    print(*faults, f"check_pages: {len(pages)} pages, {len(faults)} faults", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
