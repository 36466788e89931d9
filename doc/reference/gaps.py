# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""What the comments of the headers do not say, and a page of the reference has to.

Overloads are one entry of the reference: what one of them says counts for all. Of a member whose contract is Asio's
("@asio"), Asio's page describes the parameters and the cancellation; the errors are listed here all the same, because a
close by another thread is one of their causes.
"""

import re

import text
from model import Compound, text_of

# What every overload with an error_code has, and what has no name.
KNOWN_PARAMETERS = {"ec", ""}
INTERNAL = re.compile(r"\b(?:interlock_|io_core|socket_core|descriptor_core|detail|\w+_result<|if_\w+)")


def is_said(overloads, title):
    return any(item.titled(title) is not None for item in overloads)


def takes_error_code(overloads):
    return any(kind.startswith("error_code&") for item in overloads for kind, *_ in item.parameters())


def is_constant(item):
    return "constexpr" in text_of(item.element.find("type"))


def gaps_of_function(overloads):
    by_asio = is_said(overloads, text.SAID_BY_ASIO)
    asynchronous = any(item.completion_signature() for item in overloads)
    described = set().union(*(item.described_parameters() for item in overloads))
    names = {name for item in overloads for _, name, *_ in item.parameters()}
    is_special = overloads[0].name.startswith(("operator", "~"))
    if not by_asio and not is_special:
        for name in sorted(names - described - KNOWN_PARAMETERS):
            yield f"the parameter {name}"
    if (asynchronous or takes_error_code(overloads)) and not is_said(overloads, "Error Codes"):
        yield "Error Codes"
    if asynchronous and not by_asio and not is_said(overloads, "Per-Operation Cancellation"):
        yield "Per-Operation Cancellation"


def gaps_of_group(overloads):
    if not any(text.brief(item) for item in overloads):
        yield "what it is for"
    if overloads[0].kind == "function":
        yield from gaps_of_function(overloads)
    for item in overloads:
        shown = [item.code("type"), *(kind for kind, *_ in [*item.parameters(), *item.template()])]
        for name in filter(None, map(INTERNAL.search, shown)):
            yield f"a public name for {name[0]}"
        for value in item.element.findall("enumvalue"):
            if not text_of(value.find("briefdescription")) + text_of(value.find("detaileddescription")):
                yield f"what {text_of(value.find('name'))} means"


def gaps_of_class(library, compound, is_object):
    if not text.brief(compound):
        yield "", "what it is for"
    groups = library.members(compound)
    # What is only constructed has nothing that threads could share.
    has_state = any(item.kind == "function" and item.name not in (compound.simple_name, "operator=", "protocol")
                    and not is_constant(item) for overloads in groups.values() for item in overloads)
    if has_state and not is_said([compound], "Thread Safety"):
        yield "", "Thread Safety"
    example = compound.titled("Example")
    if example is not None and example.find(".//programlisting") is not None:
        yield "", "an example that runs (@example_of)"
    if is_object and f"~{compound.simple_name}" in groups and not is_said([compound], "Example"):
        yield "", "Example"
    for name, overloads in groups.items():
        for gap in gaps_of_group(overloads):
            yield "::" + name, gap


def find(library, is_object):
    """Lines: HEADER: NAME lacks WHAT."""
    for page, items in library.pages.items():
        first = items[0]
        if isinstance(first, Compound):
            found = list(gaps_of_class(library, first, is_object(first)))
            items = items[1:]
        else:
            found = []
        for name in dict.fromkeys(item.name for item in items):
            same = [item for item in items if item.name == name]
            place = "" if name in page else "::" + name
            found += [(place, gap) for gap in gaps_of_group(same)]
            if (same[0].kind == "function" and not name.startswith("operator") and not is_constant(same[0])
                    and not is_said(same, "Thread Safety")):
                found.append((place, "Thread Safety"))
        for member, gap in dict.fromkeys(found):
            yield f"{first.header}: {page}{member} lacks {gap}"
