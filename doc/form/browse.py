#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Open every page in a browser, as wide as a desk's screen and as narrow as a phone's, and look at it.

usage: browse.py HTML [--screenshots DIR [PAGE...]]      (the folder of the pages)

  * no link leads nowhere, no picture is missing, the console has no error, nothing could not be loaded
  * the page does not scroll sideways, and no name in the text is broken, unless it is as long as a sentence
  * the page names its language, fits a phone, marks itself in the contents, which a phone shows on demand
  * the page of every object's class, of the close handle and of the group has async_close
  * the search finds it, by the keyboard alone, and leads there; it finds first what search.py finds first
  * text is readable in light and in dark colours

Exit status 0: no fault; 1: each has been printed as PAGE (WIDTH): TEXT.
"""

import json
import pathlib
import sys
import urllib.parse

from browser import Browser
from search import FIRST_HITS

WIDTHS = (1280, 400)
# All that is asked of a page at one width.
LOOK = """(() => {
  const seen = (element) => element.getClientRects().length > 0;
  const broken = [];
  for (const code of document.querySelectorAll("main code")) {
    if (code.closest("pre") || !seen(code)) continue;
    const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    for (let text; (text = texts.nextNode()); ) {
      for (const word of text.data.matchAll(/\\b\\w{1,32}\\b|[^\\W_]+/g)) {
        const range = document.createRange();
        range.setStart(text, word.index);
        range.setEnd(text, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((r) => r.top)).size > 1) broken.push(word[0]);
      }
    }
  }
  const nav = document.querySelector("nav");
  return {
    language: document.documentElement.lang, title: document.title, broken,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    links: [...document.querySelectorAll("a[href]")].map((a) => a.href),
    places: [...document.querySelectorAll("[id]")].map((e) => e.id),
    missing: [...document.querySelectorAll("img, object, embed")]
      .filter((i) => !i.complete || !i.naturalWidth).map((i) => i.src || i.data)
      .concat([...document.querySelectorAll("figure.picture")].filter((f) => !f.querySelector("svg text") ||
        !f.getAttribute("aria-label")).map((f) => f.className)),
    current: nav.querySelectorAll("[aria-current]").length, contents: seen(nav),
  };
})()"""
TOGGLE = """(() => {
  document.querySelector("label.menu").click();
  const nav = document.querySelector("nav"), shown = nav.getClientRects().length > 0;
  document.querySelector("label.menu").click();
  return shown && nav.getClientRects().length === 0;
})()"""
FIRST_RESULT = """new Promise((found) => {
  const look = () => {
    const link = document.querySelector("#results a");
    link ? found(link.href) : setTimeout(look, 20);
  };
  look();
})"""
# Of each query the address of its first result.
FIRST_RESULTS = """((queries) => queries.map((text) => {
  const query = document.querySelector("#query");
  query.value = text;
  query.dispatchEvent(new Event("input"));
  const link = document.querySelector("#results a");
  return link ? link.href : "nothing";
}))"""
CONTRAST = """(() => {
  const light = (colour) => {
    const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (element) => {
    const colour = getComputedStyle(element).backgroundColor;
    return /, 0\\)$/.test(colour) && element.parentElement ? ground(element.parentElement) : colour;
  };
  const poor = {};
  for (const element of document.querySelectorAll("main *, nav a, header a, header label")) {
    if (![...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || element.closest("svg")) continue;
    const a = light(getComputedStyle(element).color), b = light(ground(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor[element.tagName + "." + element.className] = ratio.toFixed(2);
  }
  return poor;
})()"""


def faults_of_look(page, width, look):
    if look["language"] != "en" or not look["title"]:
        yield "no language, or no title"
    if look["wide"] > 0:
        yield f"scrolls sideways, by {look['wide']} pixels"
    for word in dict.fromkeys(look["broken"]):
        yield f"a name is broken: {word}"
    for picture in look["missing"]:
        yield f"picture missing: {picture}"
    if look["current"] != (0 if page == "index.html" else 1):
        yield f"marked {look['current']} times in the contents"
    if look["contents"] != (width > 992):
        yield "the contents are hidden" if width > 992 else "the contents cover the text"


def look_at(browser, folder, page):
    """What is wrong with one page, and where it leads."""
    faults, links, places = [], set(), set()
    browser.resize(WIDTHS[0])
    browser.open((folder / page).as_uri())
    for width in WIDTHS:
        browser.resize(width)
        look = browser.run(LOOK)
        links |= set(look["links"])
        places |= set(look["places"])
        faults += [(page, width, fault) for fault in faults_of_look(page, width, look)]
    if not browser.run(TOGGLE):
        faults.append((page, WIDTHS[-1], "the contents do not open and close"))
    faults += [(page, WIDTHS[0], complaint) for complaint in browser.complaints()]
    return faults, links, places


def broken_links(folder, links, places):
    for page, addresses in links.items():
        for address in sorted(addresses):
            parts = urllib.parse.urlsplit(address)
            if parts.scheme != "file":
                if parts.scheme not in ("https", "http"):
                    yield page, "-", f"a link to {address}"
                continue
            target = pathlib.Path(urllib.parse.unquote(parts.path)).relative_to(folder).as_posix()
            if target not in places:
                yield page, "-", f"a link to {target}, which does not exist"
            elif parts.fragment and urllib.parse.unquote(parts.fragment) not in places[target]:
                yield page, "-", f"a link to {target}#{parts.fragment}, a place that does not exist"


def object_pages(browser, folder):
    """The pages of the classes that can be closed: those of the reference's first table, and two more."""
    browser.open((folder / "interlock/reference.html").as_uri())
    first = browser.run("[...document.querySelector('main table').querySelectorAll('a')].map((a) => a.href)")
    names = [pathlib.Path(urllib.parse.urlsplit(address).path).relative_to(folder).as_posix() for address in first]
    return [*names, "interlock/reference/close_handle.html", "interlock/reference/close_group.html"]


def press(browser, key):
    for kind in ("keyDown", "keyUp"):
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, text=key if len(key) == 1 else "",
                     windowsVirtualKeyCode=13 if key == "Enter" else 0)


def search_faults(browser, folder, width):
    browser.resize(width)
    browser.open((folder / "interlock/reference/fd_lease.html").as_uri())
    press(browser, "/")
    browser.call("Input.insertText", text="stream_socket async_close")
    first = browser.run(FIRST_RESULT)
    if not first.endswith("/basic_stream_socket.html#async_close"):
        yield "search", width, f"finds {first} first"
    if browser.run("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        yield "search", width, "its results make the page scroll sideways"
    found = browser.run(f"{FIRST_RESULTS}({json.dumps([*FIRST_HITS, 'stream_socket async_close'])})")
    for (query, address), result in zip(FIRST_HITS.items(), found):
        if result != f"{folder.as_uri()}/{address}":
            yield "search", width, f"{query} finds {result} first"
    press(browser, "Enter")
    browser.wait_for("Page.loadEventFired")
    if browser.run("location.href") != first:
        yield "search", width, "the key Enter does not lead to the first result"
    yield from (("search", width, complaint) for complaint in browser.complaints())


def colour_faults(browser, folder, pages):
    browser.resize(WIDTHS[0])
    for scheme in ("dark", "light"):
        browser.colours(scheme)
        for page in pages:
            browser.open((folder / page).as_uri())
            for element, ratio in browser.run(CONTRAST).items():
                yield page, scheme, f"{element} has a contrast of {ratio}"


def look_at_all(browser, folder, pages):
    faults, links, places = [], {}, {}
    for page in pages:
        found, links[page], places[page] = look_at(browser, folder, page)
        faults += found
    faults += broken_links(folder, links, places)
    objects = object_pages(browser, folder)
    if len(objects) < 13:
        faults.append(("reference", "-", f"only {len(objects)} classes can be closed"))
    faults += [(page, "-", "no async_close") for page in objects if "async_close" not in places.get(page, ())]
    for width in WIDTHS:
        faults += search_faults(browser, folder, width)
    faults += colour_faults(browser, folder, ["index.html", "interlock/reference/basic_stream_socket.html", pages[1]])
    return faults


def take_screenshots(browser, folder, target, pages):
    target.mkdir(parents=True, exist_ok=True)
    for page in pages:
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                browser.resize(width)
                browser.colours(scheme)
                browser.open((folder / page).as_uri())
                browser.screenshot(target / f"{page.replace('/', '.')[:-len('.html')]}-{width}-{scheme}.png")


def main():
    if len(sys.argv) < 2 or len(sys.argv) > 2 and (sys.argv[2] != "--screenshots" or len(sys.argv) < 4):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1]).resolve()
    pages = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    if not pages:
        sys.exit(f"browse: {folder} has no pages")
    with Browser() as browser:
        if len(sys.argv) > 2:
            take_screenshots(browser, folder, pathlib.Path(sys.argv[3]), sys.argv[4:] or pages)
            return 0
        faults = look_at_all(browser, folder, pages)
    for page, width, fault in faults:
        print(f"{page} ({width}): {fault}")
    print(f"browse: {len(pages)} pages, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
