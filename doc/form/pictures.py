#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Draw the pictures: SVG without colours, to be a part of a page, whose style sheet has the colours.

usage: pictures.py SOURCES FOLDER      (the folder of *.dot, *.seq and *.svg; the folder to put *.svg into)

A .dot is for graphviz. A .seq shows messages between threads: its columns, then from the top "a -> b: text" for an
arrow, "a: text" for a note at a column, "= text" for one more line of the last note. A .svg, which another program has
drawn, is copied; its aria-label says what it shows.
"""

import pathlib
import re
import subprocess
import sys
from xml.sax.saxutils import escape, quoteattr

LETTER, LINE, STEP = 6.7, 16, 14
COLUMN, MARGIN, TOP = 165, 85, 50


class Sequence:
    def __init__(self, source):
        lines = [line for line in source.splitlines() if line.strip() and not line.startswith("#")]
        self.columns = [name.strip() for name in lines[0].partition(":")[2].split("|")]
        self.shapes, self.y = [], TOP
        for event in self._events(lines[1:]):
            self._draw(*event)

    def _events(self, lines):
        events = []
        for line in lines:
            if line.startswith("="):
                events[-1][2].append(line[1:].strip())
            else:
                ends, _, text = line.partition(":")
                begin, _, end = (end.strip() for end in ends.partition("->"))
                events.append((begin, end or None, [text.strip()]))
        return events

    def x(self, column):
        return MARGIN + COLUMN * self.columns.index(column)

    def text(self, x, y, words, anchor="middle", kind=""):
        self.shapes.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}"{kind}>{escape(words)}</text>')

    def _draw(self, begin, end, lines):
        if end is None:
            self._note(self.x(begin), lines)
            return
        x1, x2 = self.x(begin), self.x(end)
        self.y += LINE
        self.text((x1 + x2) / 2, self.y - 5, lines[0], kind=' class="halo"')
        tip = 7 if x1 < x2 else -7
        self.shapes.append(f'<path class="arrow" d="M{x1} {self.y}H{x2 - tip}"/>')
        self.shapes.append(f'<path class="tip" d="M{x2} {self.y}l{-tip * 1.2} -4v8z"/>')
        self.y += STEP

    def _note(self, x, lines):
        width = max(map(len, lines)) * LETTER + 16
        left = min(max(x - width / 2, 2), self.width() - width - 2)
        height = LINE * len(lines) + 8
        self.shapes.append(
            f'<rect class="note" x="{left:.0f}" y="{self.y}" width="{width:.0f}" height="{height}" rx="4"/>')
        for number, line in enumerate(lines):
            self.text(round(left + width / 2), self.y + LINE * (number + 1) - 1, line)
        self.y += height + STEP - 4

    def width(self):
        return 2 * MARGIN + COLUMN * (len(self.columns) - 1)

    def svg(self):
        heads = []
        for column in self.columns:
            x = self.x(column)
            heads.append(f'<path class="life" d="M{x} {TOP - 12}V{self.y}"/>')
            heads.append(f'<rect class="head" x="{x - 78}" y="6" width="156" height="30" rx="4"/>'
                         f'<text x="{x}" y="26" text-anchor="middle">{escape(column)}</text>')
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width()}" height="{self.y + 4}" '
                f'viewBox="0 0 {self.width()} {self.y + 4}" font-size="12">'
                + "\n".join(heads + self.shapes) + "</svg>\n")


def graph(path):
    drawn = subprocess.run(["dot", "-Tsvg", path], check=True, capture_output=True, text=True).stdout
    drawn = drawn[drawn.index("<svg"):]
    # Its names of nodes would be places of the page, and what a pointer over a node shows.
    drawn = re.sub(r"<title>.*?</title>|<!--.*?-->|(?<=<g) id=\"\w+\"", "", drawn, flags=re.S)
    drawn = re.sub(r' (?:fill|stroke|font-family)="(?!none|transparent)[^"]*"', "", drawn)
    return re.sub(r"(width|height)=\"([\d.]+)pt\"", r'\1="\2"', drawn)


def subject(source):
    """What a picture shows: the first sentence below the licence."""
    comment = re.search(r"SPDX.*\n(?://|#)\n((?:(?://|#).*\n)+)", source)[1]
    return " ".join(re.sub(r"^(?://|#) ?", "", comment, flags=re.M).split()).partition(". ")[0].rstrip(".")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sources, folder = map(pathlib.Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(sources.iterdir()):
        text = source.read_text(encoding="utf-8")
        if source.suffix == ".svg":
            (folder / source.name).write_text(text, encoding="utf-8")
            continue
        drawn = graph(source) if source.suffix == ".dot" else Sequence(text).svg()
        drawn = drawn.replace("<svg ", f"<svg aria-label={quoteattr(subject(text))} ", 1)
        (folder / f"{source.stem}.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
