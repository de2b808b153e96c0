# SPDX-License-Identifier: BSL-1.0
"""A tokenizer for C++: enough to walk declarations and statements without a compiler."""
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Token:
    kind: str  # name, number, string, character, operator, comment, directive
    text: str
    line: int
    start: int


# ">" and "<" stay single, so that template brackets can be counted.
PATTERN = re.compile(r'''
    (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
  | (?P<raw>(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)")
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*"(?:[A-Za-z_]\w*)?)
  | (?P<character>(?:u8|[uUL])?'(?:\\.|[^'\\\n])+'(?:[A-Za-z_]\w*)?)
  | (?P<number>\.?\d(?:[eEpP][+-]|'?[\w.])*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<operator>\.\.\.|->\*|->|::|\.\*|\+\+|--|&&|\|\||[-+*/%^&|=!]=|[^\s\w])
''', re.X | re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|//[^\n]*|/\*.*?\*/|[^\n])*", re.M | re.S)


def tokenize(text):
    tokens, position, line, counted = [], 0, 1, 0
    directives = {m.start(): m for m in DIRECTIVE.finditer(text)}
    at_line_start = True
    while position < len(text):
        character = text[position]
        if at_line_start and position in directives:
            found = directives[position]
            line += text.count("\n", counted, position)
            counted = position
            tokens.append(Token("directive", found[0], line, position))
            position = found.end()
            continue
        if character.isspace():
            at_line_start = character == "\n"
            position += 1
            continue
        at_line_start = False
        found = PATTERN.match(text, position)
        line += text.count("\n", counted, position)
        counted = position
        kind = "string" if found.lastgroup in ("raw", "delimiter") else found.lastgroup
        tokens.append(Token(kind, found[0], line, position))
        position = found.end()
    return tokens


OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = {")", "]", "}"}


def matching(tokens, index):
    """The index of the bracket that closes the one at `index`."""
    depth = 0
    for i in range(index, len(tokens)):
        if tokens[i].kind == "operator":
            if tokens[i].text in OPENING:
                depth += 1
            elif tokens[i].text in CLOSING:
                depth -= 1
                if depth == 0:
                    return i
    return len(tokens) - 1


def matching_angle(tokens, index):
    """The index of the ">" that closes the "<" at `index`, or None if it is a comparison."""
    depth, i = 0, index
    while i < len(tokens):
        text = tokens[i].text if tokens[i].kind == "operator" else ""
        if text == "<":
            depth += 1
        elif text == ">":
            depth -= 1
            if depth == 0:
                return i
        elif text in OPENING:
            i = matching(tokens, i)
        elif text in (";", ")", "]", "}"):
            return None
        i += 1
    return None
