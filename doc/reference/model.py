# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""The public names of the library and their members, from what doxygen has written.

A class has the members of its bases as well: what objects share is declared in bases that no program names. The names
of the parameters of such a base's template are replaced by what they stand for in the class.
"""

import pathlib
import re
import xml.etree.ElementTree as xml

# What is not for programs, and what stands in the namespaces of Boost for the compiler only.
HIDDEN = re.compile(r"(^|::)(detail|system|execution_context|initiate_\w+)(::|$)|^std(::|$)")
NAME_PREFIX = re.compile(r"^(?:boost::asio::|interlock::)+")
SPACES = ((r"\s+", " "), (r"\s*<\s*", "<"), (r"\s+>", ">"), (r"\s+(&+)\s*", r"\1 "), (r"\s+(\*+)\s*", r"\1 "))
# Names of detail, as the reader knows what they stand for.
TEMPLATES = (
    ("default_token_of", "DEFAULT"), ("default_token", "DEFAULT"), ("native_handle_of", "native_handle_type"),
    ("asio_socket", "typename Protocol::socket::template rebind_executor<Executor>::other"),
    ("accepted_socket", "SOCKET<{1}>"), ("accepted_protocol", "{0}"),
)
WRITTEN = (
    (r"(?:interlock::)?detail::", ""), (r"\bDEFAULT\(\)", "DEFAULT"), (r"\btypename Core::executor_type\b", "Executor"),
    (r"\bboost::system::(?=error_code|error_category)", ""), (r"\binterlock::", ""), (r"& (?=[,)>]|$)", "&"),
)


def text_of(element):
    return "" if element is None else "".join(element.itertext()).strip()


def replace_template(code, name, text):
    """CODE with each NAME<...> replaced by TEXT, in which {n} is the template's argument n."""
    while (found := re.search(rf"\b{name}<", code)):
        depth, end = 1, found.end()
        while depth:
            depth += (code[end] == "<") - (code[end] == ">")
            end += 1
        code = code[:found.start()] + text.format(*arguments_of(code[found.start():end])) + code[end:]
    return code


def written(code, bound=()):
    """CODE as people write it, with the names BOUND replaced."""
    for pattern, text in SPACES:
        code = re.sub(pattern, text, code)
    for name, text in TEMPLATES:
        code = replace_template(code, name, text)
    for pattern, text in WRITTEN:
        code = re.sub(pattern, text, code)
    for name, text in dict(bound).items():
        code = re.sub(rf"(?<![\w:]){name}\b(?!\s*=)", lambda _: text, code)
    return code.strip()


def without_arguments(name):
    """The name of a template, without what stands in angle brackets."""
    depth, kept = 0, ""
    for char in name:
        depth += char == "<"
        kept += char if depth == 0 else ""
        depth -= char == ">"
    return kept.replace(" ", "")


def arguments_of(name):
    """What stands in the outermost angle brackets of a name, as a list."""
    inner = re.search(r"<(.*)>", name, re.S)
    depth, found = 0, [""]
    for char in inner[1] if inner else "":
        depth += (char == "<") - (char == ">")
        if char == "," and depth == 0:
            found.append("")
        else:
            found[-1] += char
    return [argument.strip() for argument in found if argument.strip()]


def public_name(name):
    """`posix::basic_descriptor` of `interlock::posix::basic_descriptor< Executor >`."""
    return NAME_PREFIX.sub("", without_arguments(name))


class Item:
    """One declaration: what doxygen knows of it, and what its base's template parameters stand for."""

    def __init__(self, element, bound=(), owner=None):
        self.element, self.bound, self.owner = element, dict(bound), owner
        self.kind = element.get("kind")
        self.name = text_of(element.find("name")) or public_name(text_of(element.find("compoundname")))
        self.qualified = text_of(element.find("qualifiedname")) or self.name
        self.brief = element.find("briefdescription")
        self.detail = element.find("detaileddescription")
        location = element.find("location")
        self.header = location.get("declfile") or location.get("file")

    def code(self, path):
        return written(text_of(self.element.find(path)), self.bound)

    def template(self):
        """The template parameters that a program sees: type, name, default."""
        for parameter in self.element.findall("templateparamlist/param"):
            kind, name, default = (text_of(parameter.find(tag)) for tag in ("type", "declname", "defval"))
            if not name and " " in kind:
                kind, name = kind.rsplit(" ", 1)
            if name and "if_" not in kind:
                yield written(kind, self.bound), name, written(default, self.bound)

    def parameters(self):
        for parameter in self.element.findall("param"):
            kind, name, default = (text_of(parameter.find(tag)) for tag in ("type", "declname", "defval"))
            yield written(kind, self.bound), name, written(default, self.bound), text_of(parameter.find("array"))

    def completion_signature(self):
        for kind, _, _ in self.template():
            if kind.startswith("completion_token_for<"):
                return kind[len("completion_token_for<"):-1]
        return None

    def key(self):
        return self.name.rsplit("::", 1)[-1], tuple(kind for kind, *_ in self.parameters()), self.element.get("const")

    def titled(self, title):
        """The part of the description under @par TITLE."""
        found = self.detail.findall(f".//simplesect[@kind='par'][title='{title}']") if self.detail is not None else []
        return found[0] if found else None

    def described_parameters(self):
        return {text_of(name) for name in self.detail.iter("parametername")} if self.detail is not None else set()


class Compound(Item):
    """A class, with all members that a program can use."""

    def __init__(self, element):
        super().__init__(element)
        self.full_name = text_of(element.find("compoundname"))
        self.specialised = "<" in self.full_name
        self.simple_name = without_arguments(self.full_name).rsplit("::", 1)[-1]
        self.bases = [text_of(base) for base in element.findall("basecompoundref")]
        self.inner = []

    def own(self, bound):
        for member in self.element.findall("sectiondef/memberdef"):
            if member.get("prot") == "public" and member.get("kind") != "friend":
                yield Item(member, bound, self)
        for compound in self.inner:
            if compound.simple_name == "rebind_executor":
                yield compound

    def bindings(self, base, bound):
        """What the template parameters stand for where this class is the base BASE."""
        names = arguments_of(self.full_name) if self.specialised else [name for _, name, _ in self.template()]
        pairs = zip(names, (written(argument, bound) for argument in arguments_of(base)))
        return {name: argument for name, argument in pairs if name.isidentifier()}


class Library:
    """All that doxygen has read. `pages` has an entry for each public name: its items."""

    def __init__(self, folder):
        self.compounds, self.pages, self.by_simple_name = {}, {}, {}
        folder = pathlib.Path(folder)
        # Only what the index names: an earlier run may have left more.
        named = xml.parse(folder / "index.xml").getroot().findall("compound")
        roots = [xml.parse(folder / f"{compound.get('refid')}.xml").getroot() for compound in named]
        definitions = [definition for root in roots for definition in root.findall("compounddef")]
        for definition in definitions:
            if definition.get("kind") in ("class", "struct"):
                self.compounds[definition.get("id")] = Compound(definition)
        self._nest()
        for definition in definitions:
            if definition.get("kind") == "namespace" and not HIDDEN.search(text_of(definition.find("compoundname"))):
                self._free_names(definition)
            if definition.get("kind") == "file" and "/detail/" not in definition.find("location").get("file"):
                self._macros(definition)

    def _nest(self):
        nested = set()
        for compound in self.compounds.values():
            for inner in compound.element.findall("innerclass"):
                nested.add(inner.get("refid"))
                if inner.get("prot") == "public":
                    compound.inner.append(self.compounds[inner.get("refid")])
        for identity, compound in self.compounds.items():
            if identity not in nested:
                self.by_simple_name.setdefault(compound.simple_name, []).append(compound)
                if not HIDDEN.search(without_arguments(compound.full_name)):
                    self._add(compound)

    def _add(self, compound):
        if compound.simple_name != "rebind_executor" and not HIDDEN.search(compound.name):
            self.pages.setdefault(compound.name, []).append(compound)
            for inner in compound.inner:
                self._add(inner)

    def _free_names(self, namespace):
        for member in namespace.findall("sectiondef/memberdef"):
            item = Item(member)
            name = public_name(item.qualified)
            if item.name.startswith("operator"):
                name = public_name(list(item.parameters())[-1][0].replace("const ", "").replace("&", "").strip())
            self.pages.setdefault(name, []).append(item)

    def _macros(self, header):
        for member in header.findall("sectiondef[@kind='define']/memberdef"):
            if not text_of(member.find("name")).endswith("_HPP"):
                item = Item(member)
                self.pages.setdefault(item.name, []).append(item)

    def base(self, compound, name):
        """The class that a base's name stands for, with its partial specialisations; none if it is not the library's."""
        found = self.by_simple_name.get(without_arguments(name).rsplit("::", 1)[-1], [])
        return [base for base in found if base is not compound]

    def lineage(self, compound, bound=()):
        """The class and its bases, the nearest first, each with what its template parameters stand for."""
        yield compound, dict(bound)
        for name in compound.bases:
            name = dict(bound).get(name, name)
            for base in self.base(compound, name):
                yield from self.lineage(base, base.bindings(name, bound))

    def foreign_bases(self, compound):
        """The bases that are Asio's own."""
        for part, bound in self.lineage(compound):
            for name in part.bases:
                name = written(bound.get(name, name))
                if not self.base(part, name) and name.startswith("boost::asio"):
                    yield name

    def members(self, compound):
        """Groups of overloads by name, those of bases included: a base's overload goes if the class has the same."""
        groups = {}
        for part, bound in self.lineage(compound):
            for item in part.own(bound):
                if part is not compound and self._not_inherited(part, item):
                    continue
                if item.name == part.simple_name:
                    item.name = compound.simple_name
                overloads = groups.setdefault(item.name.rsplit("::", 1)[-1], [])
                if item.key() not in [other.key() for other in overloads]:
                    overloads.append(item)
        return groups

    @staticmethod
    def _not_inherited(part, item):
        moves = any(part.simple_name in kind and "&&" in kind for kind, *_ in item.parameters())
        return item.name.startswith("~") or item.name == "operator=" or item.kind == "function" and moves
