# SPDX-License-Identifier: BSL-1.0
"""Every awaitable passes the cancel matrix.

An awaitable is a public function, or member of a class, of a public header that gives a task, an
awaiter, or what a class that derives from a leaf is made for: one whose declaration, up to the next
one, names that class. It is tried where a test of the same module (tests/MODULE/) names it with a
call in a test case that calls `cancel_matrix`, or a helper of that file that does.

tests/meta/allow/cancel_matrix lists what does without, as HEADER:NAME or HEADER, with the reason."""
import re

import declarations
from common import Finding, public_headers, relative, sources
from doc_comments import EXEMPT_NAMES, is_awaitable

LEAF = re.compile(r"\b(?:class|struct)\s+(?:\[\[[^\]]*\]\]\s*)?(?:\w+(?:<[^{;]*>)?::)?(\w+)\s*"
                  r"(?:final\s*)?:[^;{]*\b(?:leaf|io_awaiter|primitive_leaf)<")
PRIVATE = re.compile(r"^ *(?:private|protected):", re.M)
PIECE_END = re.compile(r"^\}.*$", re.M)
CASE = re.compile(r"^(?:TEST_CASE|PENSTOCK_TEST)", re.M)
FIRST_NAME = re.compile(r"^(?!namespace|struct|class)[\w:<>,&*\[\] ]*?\b(\w+)\(", re.M)


def leaves(root):
    """Names of the classes that are awaited, those of detail/ too."""
    found = set()
    for path in sources(root, "include/penstock", suffixes=(".hpp",)):
        found |= set(LEAF.findall(path.read_text()))
    return found


def awaitables(path, awaiters):
    """(name, line) of what a header offers to await."""
    text = path.read_text()
    lines = text.split("\n")
    named = re.compile(r"\b(?:" + "|".join(sorted(awaiters)) + r")\b") if awaiters else None

    def walk(declared, end):
        for here, after in zip(declared, [*declared[1:], None]):
            last = after.line - len(after.doc) - 1 if after else end
            if not here.public or "detail" in here.scope or "::" in here.name:
                continue
            if here.kind == "class":
                yield from walk(here.members, last)
            elif here.kind == "function" and here.name not in EXEMPT_NAMES:
                body = PRIVATE.split("\n".join(lines[here.line - 1:last]))[0]
                of_class = here.scope[-1] if here.scope else ""
                if here.name in awaiters or of_class in awaiters or here.type.endswith("::"):
                    continue
                if is_awaitable(here) or named and named.search(body):
                    yield here.name, here.line

    yield from walk(declarations.read(text), len(lines))


def tried(root, module):
    """What test cases of a module call that go through the matrix."""
    calls = set()
    for path in sources(root, f"tests/{module}", suffixes=(".cpp", ".hpp")):
        text = path.read_text()
        if "cancel_matrix" not in text:
            continue
        pieces = PIECE_END.split(text)
        helpers = {"cancel_matrix"}
        for piece in pieces:
            if "cancel_matrix(" in piece and not CASE.search(piece):
                helpers |= set(FIRST_NAME.findall(piece))
        through = re.compile(r"\b(?:" + "|".join(helpers) + r")(?:<[^;{]*?>)?\(")
        for piece in pieces:
            if through.search(piece):
                calls |= set(re.findall(r"\b(\w+)(?:<[^;{]*?>)?\(", piece))
    return calls


def check(root, allow):
    awaiters = leaves(root)
    base = root / "include" / "penstock"
    by_module = {}
    for path in public_headers(root):
        place = path.relative_to(base)
        module = place.parts[0].removesuffix(".hpp")
        if place.as_posix() in allow:
            continue
        if module not in by_module:
            by_module[module] = tried(root, module)
        seen = set()
        for name, line in awaitables(path, awaiters):
            if name in by_module[module] or name in seen:
                continue
            seen.add(name)
            if f"{place.as_posix()}:{name}" in allow:
                continue
            yield Finding(relative(root, path), line, "matrix",
                          f"no test in tests/{module}/ takes {name} through cancel_matrix")
