#!/usr/bin/env python3
# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Look at the objects of a program with the pretty printers for gdb.

usage: states.py PROGRAM PRINTERS      (PROGRAM is built from states.cpp; PRINTERS is tools/gdb/interlock.py; needs gdb)

gdb stops in each state and prints the object. The printers read each bit of a word as the library does, which the
program shows: what they know of its layout is compared whole.
"""

import re
import sys

import debugger

# What is printed, with N for the descriptor that the program names.
EARLIER = "; no longer descriptor N: closed, 1 handlers"
STATES = [
    ("blocked", "descriptor N: open, 1 inside, threads have been blocked"),
    ("never", "never opened"),
    ("open", "descriptor N: open"),
    ("read", "descriptor N: open, 1 handlers"),
    ("lent", "descriptor N: open, 1 handlers, 2 leases"),
    ("leased", "descriptor N: leased, 1 handlers, 2 leases"),
    ("closed", "no longer descriptor N: closed, 1 handlers"),
    ("write", "descriptor N: open, 1 handlers, 1 writes" + EARLIER),
    ("flushing", "descriptor N: flushing, 1 handlers, 1 writes" + EARLIER),
    ("closing", "descriptor N: closing, 1 handlers"),
    ("still flushing", "descriptor N: flushing, 1 handlers, 1 writes" + EARLIER),
    ("flush ended", "no longer descriptor N: closed, 1 handlers, 1 writes" + EARLIER),
    ("delivering", "descriptor N: detached (delivering)"),
    ("ended", "no longer descriptor N: ended"),
    ("one tenure", "descriptor N: open"),
]
# The worker looks at the send queue, or leaves after it has called for the handlers.
OF_THE_WORKER = {"flushing", "still flushing", "ended"}
REPORTS = [
    ("delivering", "deliver within 30000 ms",
     "timed_out after 500 ms, 1200 bytes unacknowledged, 200 bytes unsent"),
    ("aborting", "abort", "closed after 0 ms"),
]
WORDS = 65

# In gdb, after the printers.
HELPERS = """python
def show_parts():
    # The tenure by itself, by its own type and by its address.
    state = scalar(gdb.parse_and_eval("socket").referenced_value()["interlock_core_"]["state_"]).dereference()
    gdb.set_convenience_variable("address", int(state["first_"].address))
    for part in (state["first_"], gdb.parse_and_eval("$interlock_tenure($address)")):
        print("part", part.format_string())
        print("part ...: " + part["word_"].format_string())
def read_word():
    value, reads = int(gdb.parse_and_eval("value")), gdb.parse_and_eval("reads").type.target().strip_typedefs()
    w = Word(value, reads.unqualified())
    phase = next(f.enumval for f in gdb.lookup_type(DETAIL + "phase").fields() if enumerator(f.name) == w.phase)
    print("gdb", format(value, "x"), phase, int(w.owned), int(w.blocked), *w.counts.values())
end"""


def look(program, printers):
    lines = [f"source {printers}", HELPERS]
    lines += debugger.stop_and_go(
        "at_state", 'printf "state %s, %d = ", state, descriptor', "output socket", "echo \\n")
    lines += debugger.stop_and_go(
        "at_report", 'printf "report %s\\n", state', "output mode", "echo \\n", "output report", "echo \\n")
    lines += debugger.stop_and_go("at_word", "python read_word()")
    lines += debugger.stop_and_go("at_parts", "python show_parts()")
    return debugger.run(program, lines)


REFERENCE = r"\(const [^\n]*&\) @0x\w+: "


def without_worker(state, text):
    return text.replace(", 1 inside", "") if state in OF_THE_WORKER else text


def faults(output):
    found = re.findall(rf"^state ([^,\n]+), (-?\d+) = {REFERENCE}(.*)$", output, re.M)
    states = [(name, without_worker(name, text).replace(f"descriptor {fd}", "descriptor N"))
              for name, fd, text in found]
    reports = re.findall(rf"^report (.*)\n{REFERENCE}(.*)\n{REFERENCE}(.*)$", output, re.M)
    for what, seen, wanted in (("states", states, STATES), ("reports", reports, REPORTS)):
        if seen != wanted:
            yield "\n".join([f"{what}:", *map(str, seen), "instead of", *map(str, wanted)])
    parts = re.findall(r"^part (.*)$", output, re.M)
    if parts != 2 * [f"descriptor {found[-1][1]}: open", "...: open"]:
        yield f"parts: {parts}"
    read, shown = (re.findall(rf"^{what} (\w+ .*)$", output, re.M) for what in ("gdb", "word"))
    if sorted(read) != sorted(shown) or len(set(read)) != WORDS:
        yield "\n".join(["words as they are read:", *read, "as the library reads them:", *shown])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    output = look(*sys.argv[1:])
    found = list(faults(output))
    print("\n".join(found) or "each state is printed in its words")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
