# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Pretty printers for gdb: the objects of Interlock in words.

(gdb) source tools/gdb/interlock.py
(gdb) print socket
$1 = descriptor 12: flushing, 3 handlers, 1 writes

  an object          its tenures: the current one, and each earlier one that is not over
  a tenure           its descriptor, its phase, and the counts of its word
  the word           phase and counts
  close_mode, close_report
  $interlock_tenure(ADDRESS)
                     the tenure with the address that a static probe tells

Without the printers: print/r. Nothing is called in the program, so a core file will do.
"""

import re

import gdb
import gdb.printing

# With the namespace of the ABI (config.hpp).
SPACE = "interlock::abi_0::"
DETAIL = SPACE + "detail::"


def members(kind):
    """The members of a class that lie in its objects, without its bases."""
    return [f for f in kind.fields() if hasattr(f, "bitpos") and not f.is_base_class]


def scalar(value):
    """What an atomic, a duration or the like consists of, whatever the standard library calls it."""
    kind = value.type.strip_typedefs()
    while kind.code == gdb.TYPE_CODE_STRUCT:
        inner = members(kind) or [f for f in kind.fields() if f.is_base_class]
        value = value[inner[0]]
        kind = value.type.strip_typedefs()
    return value


def enumerator(value):
    """The name alone: "open" of interlock::detail::phase::open."""
    return str(value).rsplit("::", 1)[-1]


def counted(pairs):
    return "".join(f", {number} {what}" for number, what in pairs if number)


def milliseconds(duration):
    """As the library's own words: whole ones. The clock counts nanoseconds."""
    return f"{int(scalar(duration)) // 1000000} ms"


class Word:
    """A value of the tenure's word. WORD is the type that has the transitions: basic_word, whose arguments are the
    widths of the counts.

    The compiler leaves the masks out of the debug information. test/gdb/states.py compares what is read here with what
    the library reads, bit by bit.
    """

    PARTS = ("inside", "handlers", "writes", "leases")

    def __init__(self, value, word):
        self.phase = enumerator(gdb.Value(value & 15).cast(gdb.lookup_type(DETAIL + "phase")))
        self.owned, self.blocked = bool(value & 16), bool(value & 32)
        self.counts, value = {}, value >> 6
        for place, name in enumerate(self.PARTS):
            width = int(word.template_argument(place))
            self.counts[name] = value & ((1 << width) - 1)
            value >>= width

    @classmethod
    def of(cls, atomic):
        member = gdb.lookup_type(DETAIL + "atomic_word::value").target().name
        return cls(int(scalar(atomic)), gdb.lookup_type(member.rsplit("::", 1)[0]))

    def tail(self):
        """The counts, and what is not usual."""
        text = counted((number, name) for name, number in self.counts.items())
        if self.blocked:
            text += ", threads have been blocked"
        return text if self.owned else text + ", without an object"

    def __str__(self):
        return self.phase + self.tail()


class WordPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        return str(Word.of(self.value))


class TenurePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        word = Word.of(self.value["word_"])
        if word.phase == "vacant":
            return "no descriptor: vacant" + word.tail()
        descriptor = f"descriptor {int(self.value['fd_'])}"
        if word.phase in ("closed", "ended"):
            descriptor = f"no longer {descriptor}"
        stage = enumerator(scalar(self.value["stage_"]))
        if word.phase == "detached" and stage != "idle":
            return f"{descriptor}: detached ({stage}){word.tail()}"
        return f"{descriptor}: {word.phase}{word.tail()}"


class ObjectPrinter:
    """A socket, an acceptor, a pipe, a descriptor."""

    def __init__(self, value):
        self.value = value

    @staticmethod
    def tenures(state):
        """The current one, and the others that are not over."""
        current = scalar(state["current_"])
        if int(current):
            yield current.dereference()
        if not int(scalar(state["owners_"])) & int(state["flag_has_tenure"]):
            return
        tenure = state["first_"].address
        while int(tenure):
            if int(tenure) != int(current) and Word.of(tenure["word_"]).phase not in ("ended", "vacant"):
                yield tenure.dereference()
            tenure = tenure["next_of_object"]

    def to_string(self):
        state = scalar(self.value["interlock_core_"]["state_"])
        texts = []
        if int(state):
            texts = [TenurePrinter(tenure).to_string() for tenure in self.tenures(state.dereference())]
        return "; ".join(texts) or "never opened"


class ModePrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        kind = enumerator(self.value["kind_"])
        return f"{kind} within {milliseconds(self.value['timeout_'])}" if kind in ("deliver", "graceful") else kind


class ReportPrinter:
    def __init__(self, value):
        self.value = value

    def to_string(self):
        counts = ((int(self.value[name]), what) for name, what in (
            ("unacknowledged", "bytes unacknowledged"), ("unsent", "bytes unsent"),
            ("discarded", "bytes discarded"), ("refused_writes", "writes refused")))
        return f"{enumerator(self.value['outcome'])} after {milliseconds(self.value['duration'])}{counted(counts)}"


PRINTERS = (
    (re.compile(DETAIL + "atomic_word$"), WordPrinter),
    (re.compile(DETAIL + "tenure(_base$|<)"), TenurePrinter),
    (re.compile(SPACE + "close_mode$"), ModePrinter),
    (re.compile(SPACE + "close_report$"), ReportPrinter),
)


def is_object(kind):
    bases = [f.type.strip_typedefs() for f in kind.fields() if f.is_base_class]
    return any((base.name or "").startswith(DETAIL + "bases::closing_members<") or is_object(base) for base in bases)


def interlock(value):
    """Returns the printer of a value, or None."""
    kind = value.type.strip_typedefs().unqualified()
    if kind.code != gdb.TYPE_CODE_STRUCT or "interlock::" not in (kind.name or ""):
        return None
    for name, printer in PRINTERS:
        if name.match(kind.name):
            return printer(value)
    return ObjectPrinter(value) if is_object(kind) else None


class TenureAt(gdb.Function):
    """The tenure at an address, which is the first argument of each static probe."""

    def __init__(self):
        super().__init__("interlock_tenure")

    def invoke(self, address):
        return address.cast(gdb.lookup_type(DETAIL + "tenure_base").pointer()).dereference()


TenureAt()
gdb.printing.register_pretty_printer(gdb.current_objfile(), interlock, replace=True)
