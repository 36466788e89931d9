#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""What the search of the pages finds, and in which order.

usage: search.py HTML [QUERY...]      (the folder of the pages)

Without a query: checks that each query of FIRST_HITS finds its section first. With queries: prints what each finds.

search.js has the same functions as `Index` here. The weights reach it in search_index.js; doc/form/browse.py checks in a
browser that it finds the same.

A word of a query matches at the beginning of a word, or of a part of a name: `socket` matches in basic_stream_socket.
The sections with the most words of the query are shown. Among them the sum of the weights decides. A member of which the
same is said in several classes is shown once.

Exit status 0: no fault; 1: each has been printed as QUERY: TEXT.
"""

import json
import pathlib
import re
import sys

# The points of a word in each field: as the beginning of a part of a name, as a part, as a whole name.
WEIGHTS = {
    "title": [8, 14, 20],
    "keywords": [8, 14, 16],
    "page": [1, 2, 2],
    "text": [2, 4, 5],
    # The query is the whole title, or one of the keywords.
    "all": 15,
    "ignored": ["a", "an", "and", "are", "do", "does", "for", "how", "i", "in", "is", "my", "of", "on", "or", "the", "to",
                "with"],
    "shown": 30,
}
# A page is preferred to a later kind at an equal sum. The first words of its address decide.
KINDS = {"interlock/reference": 2, "interlock/examples/": 1, "interlock/design": 0, "interlock/evidence": 0,
         "interlock/history": 0, "": 3}
# What a page is about, in words that its text does not have.
KEYWORDS = {
    "server": "drain, shutdown, shut down, shutdown server, graceful shutdown, stop a server, stop server, signal, "
              "signal_set, SIGTERM, SIGINT",
    "coroutines": "timer, timeout, idle, idle timeout, watchdog, awaitable, co_await",
    "migrating": "timer, timeout, idle timeout, watchdog, porting",
    "stacks": "OpenSSL, SSL, HTTPS, WSS",
    "closing": "close, close a socket, EBADF, bad file descriptor, hang up, "
               "disconnect, closed twice, double close, delete the socket, free the session",
    "borrowing": "file descriptor",
    "threads": "thread pool, race, data race, strand, lock, mutex, cancel, cancellation",
    "operating": "hang, hangs, stuck, monitoring, metrics, debugging",
    "why": "when not to use, when to use, alternatives, limitations, race condition, reused descriptor",
    "comparison": "when not to use, alternatives, limitations",
    "performance": "benchmark, latency, overhead, speed",
    "start": "install, build, CMake, quick start, tutorial, hello world, link, linker, undefined reference, header only, "
             "header-only, Jamroot, cxxstd, rpath, LD_LIBRARY_PATH, Windows, macOS",
}
# The section that each query has to find first.
FIRST_HITS = {
    "drain": "interlock/server.html",
    "graceful shutdown": "interlock/server.html",
    "shutdown server": "interlock/server.html",
    "stop a server": "interlock/server.html",
    "idle timeout": "interlock/coroutines.html",
    "thread pool": "interlock/threads.html",
    "race": "interlock/threads.html",
    "hang": "interlock/operating.html",
    "OpenSSL": "interlock/stacks.html",
    "EBADF": "interlock/closing.html",
    "bad file descriptor": "interlock/closing.html",
    "inotify": "interlock/borrowing.html#inotify",
    "timerfd": "interlock/borrowing.html#inotify",
    "close": "interlock/closing.html",
    "close a socket": "interlock/closing.html",
    "when not to use": "interlock/why.html",
    "alternatives": "interlock/why.html",
    "async_close": "interlock/reference/async_close.html",
    "interlock::async_close": "interlock/reference/async_close.html",
    "open sends its close frame": "interlock/reference/async_close.html",
    "close_mode::abort": "interlock/reference/close_mode.html#abort",
    "stream_socket async_close": "interlock/reference/basic_stream_socket.html#async_close",
    "signal": "interlock/server.html",
    "idle": "interlock/coroutines.html",
    "double close": "interlock/closing.html",
    "undefined reference": "interlock/start.html",
    "header only": "interlock/start.html",
    "LD_LIBRARY_PATH": "interlock/start.html",
    "~close_group": "interlock/reference/close_group.html",
}


class Index:
    """The sections of search_index.js: each has title, page, address, text, keywords, bonus."""

    def __init__(self, weights, sections):
        self.weights, self.sections = weights, [
            {"title": title.lower(), "page": page.lower(), "address": address, "text": text.lower(),
             "keywords": keywords.lower(), "bonus": bonus}
            for title, page, address, text, keywords, bonus in sections]

    def words(self, query):
        """The words of a query. Those that say nothing go, if others are left."""
        words = [word for word in re.split(r"\W+", query.lower(), flags=re.ASCII) if word]
        return [word for word in words if word not in self.weights["ignored"]] or words

    def points(self, section, word):
        """What one word adds; 0 if the section does not have it."""
        total = 0
        patterns = (rf"(?:^|[^a-z0-9]){word}", rf"(?:^|[^a-z0-9]){word}(?![a-z0-9])",
                    rf"(?:^|[^a-z0-9_]){word}(?![a-z0-9_])")
        for field in ("title", "keywords", "page", "text"):
            level = 0
            while level < 3 and re.search(patterns[level], section[field]):
                level += 1
            total += self.weights[field][level - 1] if level else 0
        return total

    def score(self, section, words):
        """How many of the words the section has, and the sum of their points."""
        points = [self.points(section, word) for word in words]
        whole = [" ".join(self.words(name)) for name in [section["title"], *section["keywords"].split(",")]]
        return (sum(number > 0 for number in points),
                sum(points) + section["bonus"] + (self.weights["all"] if " ".join(words) in whole else 0))

    def find(self, query):
        words = self.words(query)
        scores = [(self.score(section, words), section) for section in self.sections]
        most = max([count for (count, _), _ in scores] + [1])
        found = sorted((pair for pair in scores if pair[0][0] == most), key=lambda pair: -pair[0][1])
        shown = self.without_twins(section for _, section in found)
        return [section["address"] for section in shown][:self.weights["shown"]] if words else []

    @staticmethod
    def without_twins(found):
        """Of the members of several classes of which the same is said, the first."""
        said = set()
        for section in found:
            class_name, separator, _ = section["title"].rpartition("::")
            text = section["text"].replace(class_name, "") if separator else None
            if text not in said:
                yield section
            said |= {text} - {None}


def bonus_of(address, title):
    kind = next(points for start, points in KINDS.items() if address.startswith(start))
    return round(kind - len(title) / 100, 2)


def index_script(sections):
    """search_index.js, of (title, page, address, text) of each section."""
    keywords = {f"interlock/{page}.html": words for page, words in KEYWORDS.items()}
    rows = [[title, page, address, text, keywords.pop(address, ""), bonus_of(address, title)]
            for title, page, address, text in sections]
    if keywords:
        raise SystemExit(f"search: keywords of pages that do not exist: {', '.join(keywords)}")
    return f"interlockSearch({json.dumps([WEIGHTS, rows], ensure_ascii=False, separators=(',', ':'))});\n"


def read_index(folder):
    script = pathlib.Path(folder, "search_index.js").read_text(encoding="utf-8")
    return Index(*json.loads(script[len("interlockSearch("):-len(");\n")]))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    index = read_index(sys.argv[1])
    for query in sys.argv[2:]:
        print(f"{query}:", *index.find(query)[:8])
    if sys.argv[2:]:
        return 0
    found = {query: (index.find(query) or ["nothing"])[0] for query in FIRST_HITS}
    faults = [f"{query}: finds {found[query]} first" for query, address in FIRST_HITS.items() if found[query] != address]
    print(*faults, f"search: {len(FIRST_HITS)} queries, {len(faults)} faults", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
