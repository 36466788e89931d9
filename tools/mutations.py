# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""The mutations of a C++ source, and the list of those that tools/mutants does not notice: pure functions.

A mutation is one change at one place. The kinds:

  relation    < and <=, > and >=, == and !=        logic      && and ||
  condition   of an if or a while, negated         sign       + and -, += and -=, ++ and --
  constant    0 and 1, true and false              return     of a bool, negated
  statement   a call or an assignment, removed

A memory order is not weakened: on x86 no test can see it. (The schedules under test/schedules do; their
mutants stand in test/schedules/mutants.jam.) Comments, strings, preprocessor lines, the branch of an #else, static_assert
and BOOST_ASSERT are left alone. The text must be formatted as clang-format does it here: binary operators
stand between spaces, the brackets of templates do not, and the braces of a function are alone in their lines.
"""

import collections
import random
import re

Mutation = collections.namedtuple("Mutation", "file function start end new kind")
Entry = collections.namedtuple("Entry", "line file function old new reason")
Function = collections.namedtuple("Function", "begin end name is_bool")
Token = collections.namedtuple("Token", "text start end")

NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<raw>\w*)\(.*?\)(?P=raw)"|"(?:\\.|[^"\\\n])*"|(?<!\w)'(?:\\.|[^'\\\n])*'""",
    re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
# No branch of an #else is compiled on Linux.
CONDITIONAL = re.compile(r"^[ \t]*#[ \t]*(if|else|elif|endif)", re.MULTILINE)
CHECK = re.compile(r"\b(?:static_assert|BOOST_ASSERT(?:_MSG)?)\s*\(")
TOKEN = re.compile(
    r"[A-Za-z_]\w*|\d[\w.']*|<<=|>>=|::|->|\+\+|--|&&|\|\||<<|>>|[-+*/%&|^=!<>]=|[^\s\w]")

OPENING, CLOSING = ("(", "[", "{"), (")", "]", "}")
SPACED = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&", "+": "-", "-": "+"}
SIGNS = {"+=": "-=", "-=": "+=", "++": "--", "--": "++"}
LITERALS = {"true": "false", "false": "true"}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
# What begins a statement that is neither a call nor an assignment.
OTHER_STATEMENTS = set(
    "auto break case catch class const constexpr continue default delete do else enum extern for friend goto if"
    " inline namespace new private protected public return static struct switch template throw try typedef"
    " typename union using virtual volatile while".split())


# --- what is code ---------------------------------------------------------------------------------

def blank(text):
    """Spaces in its place, so that each place keeps its offset and its line."""
    return re.sub(r"[^\n]", " ", text)


def without_else_branches(text):
    kept, depth, since = text, [], 0
    for found in CONDITIONAL.finditer(text):
        word = found[1]
        if word == "if":
            depth.append(None)
        elif word in ("else", "elif") and depth[-1] is None:
            depth[-1] = found.start()
        elif word == "endif":
            since = depth.pop()
            if since is not None:
                kept = kept[:since] + blank(kept[since:found.start()]) + kept[found.start():]
    return kept


def code_of(text):
    """The text with spaces in the place of all that is never mutated."""
    code = NOT_CODE.sub(lambda found: blank(found[0]), text)
    code = DIRECTIVE.sub(lambda found: blank(found[0]), without_else_branches(code))
    for found in CHECK.finditer(code):
        end = position_after_bracket(code, found.end() - 1)
        code = code[:found.start()] + blank(code[found.start():end]) + code[end:]
    return code


def position_after_bracket(code, opening):
    depth = 0
    for position in range(opening, len(code)):
        depth += (code[position] in OPENING) - (code[position] in CLOSING)
        if depth == 0:
            return position + 1
    return len(code)


def functions_of(code):
    """Their bodies: from a brace alone in its line, after a signature, to its end."""
    found, position, head, begun = [], 0, [], None
    for line in code.split("\n"):
        indent = len(line) - len(line.lstrip())
        text = line.strip()
        if begun and text == "}" and indent == begun[1]:
            found.append(Function(begun[0], position, *begun[2:]))
            begun, head = None, []
        elif not begun and text == "{" and "(" in " ".join(head):
            begun = (position, indent, *name_and_kind(" ".join(head)))
        elif not text or text[-1] in ";{}":
            head = []
        else:
            head.append(text)
        position += len(line) + 1
    return found


def name_and_kind(signature):
    name = re.search(r"((?:\w+::)*(?:operator\s*[^\s\w(]+|~?\w+))\s*\(", signature)
    is_bool = re.match(r"(template <.*?> )?((static|inline|constexpr|virtual) )*bool ", signature)
    return name[1] if name else "", bool(is_bool)


# --- the mutations --------------------------------------------------------------------------------

def tokens_of(code):
    return [Token(found[0], found.start(), found.end()) for found in TOKEN.finditer(code)]


def end_of(tokens, begin, ends):
    """The place of the first of ENDS from BEGIN on that is in no bracket; None if a bracket closes before."""
    depth = 0
    for place in range(begin, len(tokens)):
        text = tokens[place].text
        if depth == 0 and text in ends:
            return place
        depth += (text in OPENING) - (text in CLOSING)
        if depth < 0:
            return None
    return None


def opening_of(tokens, closing):
    depth = 1
    while depth:
        closing -= 1
        depth += (tokens[closing].text in CLOSING) - (tokens[closing].text in OPENING)
    return closing


def outside_brackets(tokens):
    depth = 0
    for token in tokens:
        depth -= token.text in CLOSING
        if depth == 0:
            yield token.text
        depth += token.text in OPENING


def can_be_negated(tokens):
    """Whether that is a change of its own: neither that of a comparison nor that of a constant."""
    outside = set(outside_brackets(tokens))
    compares = outside & {"==", "!="} and not outside & {"&&", "||", "?"}
    literal = len(tokens) == 1 and tokens[0].text in (*LITERALS, "0", "1")
    return bool(tokens) and not compares and not literal and not outside & {"=", ";"}


def exchanges(code, tokens):
    for token in tokens:
        text, (start, end) = token.text, (token.start, token.end)
        is_spaced = code[start - 1:start].isspace() and code[end:end + 1].isspace()
        number = re.fullmatch(r"([01])([uUlL]*)", text)
        if text in SPACED and is_spaced:
            kind = "logic" if text in "&& ||" else "sign" if text in "+-" else "relation"
            yield start, end, SPACED[text], kind
        elif text in SIGNS:
            yield start, end, SIGNS[text], "sign"
        elif text in LITERALS:
            yield start, end, LITERALS[text], "constant"
        elif number:
            yield start, end, str(1 - int(number[1])) + number[2], "constant"


def negations(code, tokens, functions):
    for place, token in enumerate(tokens):
        if token.text in ("if", "while") and tokens[place + 1].text == "(":
            begin, end, kind = place + 2, end_of(tokens, place + 2, ")"), "condition"
        elif token.text == "return" and any(f.is_bool and f.begin < token.start < f.end for f in functions):
            begin, end, kind = place + 1, end_of(tokens, place + 1, ";"), "return"
        else:
            continue
        if end and can_be_negated(tokens[begin:end]):
            start, stop = tokens[begin].start, tokens[end - 1].end
            yield start, stop, f"!({code[start:stop]})", kind


def declares(tokens):
    """Whether these tokens, which stand before a = or a (, name a type and what is declared of it."""
    text = " ".join(token.text for token in tokens)
    return bool(re.search(r"\w \w|\S [>&*] \w+$", text))


def can_be_removed(tokens):
    first, last = tokens[0].text, tokens[-1].text
    if first in OTHER_STATEMENTS or not re.match(r"[\w(*]|::|\+\+|--", first):
        return False
    if first in ("++", "--") or last in ("++", "--"):
        return True
    outside = list(outside_brackets(tokens))
    for place, token in enumerate(tokens):
        if token.text in ASSIGNMENTS and token.text in outside:
            return not declares(tokens[:place])
    if last != ")":
        return False
    opening = opening_of(tokens, len(tokens) - 1)
    return opening > 0 and not declares(tokens[:opening])


def begins_statement(tokens, place):
    before = tokens[place - 1].text
    if before in (";", "{", "}", "else", "do"):
        return True
    if before == ":":
        return any(token.text in ("case", "default") for token in tokens[max(0, place - 8):place])
    return before == ")" and tokens[opening_of(tokens, place - 1) - 1].text in ("if", "for", "while", "constexpr")


def removals(tokens):
    for place in range(1, len(tokens)):
        if begins_statement(tokens, place):
            end = end_of(tokens, place, ";")
            if end and end > place and can_be_removed(tokens[place:end]):
                yield tokens[place].start, tokens[end - 1].end, "", "statement"


def mutations_of(file, text):
    """All of them, inside functions, in the order of their places."""
    code = code_of(text)
    functions, tokens = functions_of(code), tokens_of(code)
    found = [*exchanges(code, tokens), *negations(text, tokens, functions), *removals(tokens)]
    for start, end, new, kind in sorted(found):
        inside = [f.name for f in functions if f.begin < start < f.end]
        if inside:
            yield Mutation(file, inside[0], start, end, new, kind)


def draw(mutations, count, seed):
    return random.Random(seed).sample(mutations, min(count, len(mutations)))


# --- one of them, for readers ---------------------------------------------------------------------

def mutated(text, mutation):
    return text[:mutation.start] + mutation.new + text[mutation.end:]


def lines_of(text, mutation):
    """The first and the last line that it changes, from 1 on."""
    return text.count("\n", 0, mutation.start) + 1, text.count("\n", 0, mutation.end) + 1


def change(text, mutation):
    """What its lines are without and with it, each in one line."""
    begin = text.rfind("\n", 0, mutation.start) + 1
    end = text.find("\n", mutation.end)
    new = text[begin:mutation.start] + mutation.new + text[mutation.end:end]
    return tuple(" ".join(lines.split()) for lines in (text[begin:end], new))


def shown(text, mutation):
    """As an entry of the list, and as it is printed."""
    old, new = change(text, mutation)
    return f"{mutation.file} {mutation.function}\n- {old}\n+ {new}\n"


# --- the list of what is not noticed ---------------------------------------------------------------

def entries_of(listed):
    """Blocks between empty lines: "FILE FUNCTION", "- OLD", "+ NEW", and the reason. # begins a comment."""
    lines = [(number, line) for number, line in enumerate(listed.split("\n"), 1) if not line.startswith("#")]
    block = []
    for number, line in [*lines, (0, "")]:
        if line.strip():
            block.append((number, line))
        elif block:
            yield entry_of(block)
            block = []


def entry_of(block):
    first, texts = block[0][0], [line for _, line in block]
    place = texts[0].split()
    if not (len(texts) > 3 and len(place) == 2 and texts[1][:2] == "- " and texts[2][:2] == "+ "):
        raise ValueError(f"line {first}: not a file and a function, a line with -, a line with + and a reason")
    return Entry(first, *place, texts[1][2:].strip(), texts[2][2:].strip(), " ".join(texts[3:]))


def key(entry):
    return entry.file, entry.function, entry.old, entry.new


def known(entries, texts, mutations):
    """The mutations that ENTRIES name; and the entries that name none. TEXTS are the files' contents."""
    changes = {m: (m.file, m.function, *change(texts[m.file], m)) for m in mutations}
    named, present = {key(entry) for entry in entries}, set(changes.values())
    return {m for m in mutations if changes[m] in named}, [entry for entry in entries if key(entry) not in present]
