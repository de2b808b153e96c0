# SPDX-License-Identifier: BSL-1.0
"""Doc comments of public headers: a first sentence, then bold headings in their order.

Required are a doc comment on each class, enum, concept and function of namespace penstock, and

 * for a function that gives an awaitable: **Suspends.** and **Cancellation.** (a member's may stand
   in the comment of its class; an overload right below a documented one may refer to it);
 * for a class with such members: **Thread-safety.** and **Lifetime.**

tests/meta/allow/headings lists what does without, as HEADER:NAME:HEADING, with the reason."""
import re

import declarations
from common import Finding, headers, relative

IN_ORDER = ["Shape", "Parameters", "Result", "Errors", "Suspends", "Cancellation", "Ordering",
            "Emits when", "Backpressures when", "Completes when", "Fails when", "Cancels when",
            "Thread-safety", "Memory order", "Complexity", "Lifetime", "Example", "See also"]
# Stand where they fit.
ANYWHERE = ["When not to use", "Without it", "With it", "Telemetry"]
HEADING = re.compile(r"^\*\*([A-Za-z][A-Za-z -]*?)\.?\*\*(.*)$")
AWAITABLE = re.compile(r"\btask <|\w*(?:awaiter|awaitable)\b|\bdetail :: started\b")
EXEMPT_NAMES = {"operator", "validate", "swap", "begin", "end", "tag_invoke"}


def parse(doc):
    """The first sentence and [(heading, text, line in the comment)]."""
    opening, found = [], []
    for number, line in enumerate(doc):
        heading = HEADING.match(line.strip())
        if heading:
            found.append([heading[1], heading[2].strip(), number])
        elif found:
            found[-1][1] += line.strip()
        else:
            opening.append(line)
    return " ".join(opening).strip(), found


def check_form(place, declaration):
    """What is wrong in any doc comment, whatever it belongs to."""
    opening, found = parse(declaration.doc)
    first = declaration.line - len(declaration.doc)
    # The name of a member or of validate() may say it all: then headings are enough.
    brief = len(declaration.scope) > 1 or declaration.name in EXEMPT_NAMES
    if not re.search(r"[.:](\s|$)", opening) and not (brief and found and not opening):
        yield Finding(place, first, "sentence",
                      f"{declaration.name}: the comment does not begin with a sentence")
    last = -1
    seen = set()
    for heading, text, number in found:
        line = first + number
        if heading in seen:
            yield Finding(place, line, "twice", f"{declaration.name}: **{heading}.** twice")
        seen.add(heading)
        if not text:
            yield Finding(place, line, "empty", f"{declaration.name}: **{heading}.** says nothing")
        if heading in IN_ORDER:
            rank = IN_ORDER.index(heading)
            if rank < last:
                yield Finding(place, line, "order",
                              f"{declaration.name}: **{heading}.** belongs before "
                              f"**{IN_ORDER[last]}.**")
            last = max(last, rank)
        elif heading not in ANYWHERE:
            yield Finding(place, line, "unknown", f"{declaration.name}: **{heading}.** is no heading")


def headings_of(declaration):
    return {heading for heading, _, _ in parse(declaration.doc)[1]} if declaration else set()


def is_awaitable(declaration):
    return (declaration.kind == "function" and declaration.name not in EXEMPT_NAMES
            and AWAITABLE.search(declaration.type) is not None)


def check_declaration(place, declaration, allow, parent, documented_above):
    def missing(heading):
        return f"{place.removeprefix('include/penstock/')}:{declaration.name}:{heading}" not in allow

    if declaration.doc:
        yield from check_form(place, declaration)
    elif parent is None and not documented_above and missing("doc"):
        yield Finding(place, declaration.line, "undocumented",
                      f"{declaration.kind} {declaration.name} has no doc comment")
        return
    if is_awaitable(declaration) and not (documented_above and not declaration.detached):
        if not declaration.doc and missing("doc"):
            yield Finding(place, declaration.line, "undocumented",
                          f"{declaration.name} gives an awaitable and has no doc comment")
            return
        there = headings_of(declaration) | headings_of(parent)
        for heading in ("Suspends", "Cancellation"):
            if heading not in there and missing(heading):
                yield Finding(place, declaration.line, "missing",
                              f"{declaration.name} gives an awaitable: **{heading}.**")


def is_api(declaration):
    name = declaration.name
    return (declaration.kind in ("class", "enum", "concept", "function") and declaration.public
            and name not in EXEMPT_NAMES and not name.endswith("<>") and "::" not in name
            and "::" not in declaration.type.split(" ")[-1:])


def check(root, allow):
    base = root / "include"
    for path in headers(root):
        if "detail" in path.relative_to(base).parts:
            continue
        place = relative(root, path)
        declared = [d for d in declarations.read(path.read_text())
                    if d.scope[:1] == ("penstock",) and "detail" not in d.scope
                    and "(anonymous)" not in d.scope]
        yield from check_scope(place, declared, allow, None)


def check_scope(place, declared, allow, parent):
    above = None  # the declaration before, if documented itself or by the one before it
    members = {d.name for d in declared if d.kind in ("class", "enum") and d.doc}
    for declaration in declared:
        if not is_api(declaration):
            # Still part of a run of declarations, and its comment has the usual form.
            if declaration.doc and declaration.public:
                yield from check_form(place, declaration)
            above = declaration if declaration.doc else above
            continue
        special = parent is not None and declaration.name == parent.name
        documented_above = above is not None and not declaration.detached
        # A definition below the class: the class has the comment.
        if declaration.type.endswith("::") or declaration.name in members and not declaration.doc:
            continue
        if not special:
            yield from check_declaration(place, declaration, allow, parent, documented_above)
        if declaration.kind == "class":
            waits = any(is_awaitable(m) and m.public for m in declaration.members)
            there = headings_of(declaration)
            key = f"{place.removeprefix('include/penstock/')}:{declaration.name}"
            for heading in ("Thread-safety", "Lifetime") if waits and parent is None else ():
                if heading not in there and f"{key}:{heading}" not in allow:
                    yield Finding(place, declaration.line, "missing",
                                  f"{declaration.name} has members to await: **{heading}.**")
            yield from check_scope(place, declaration.members, allow, declaration)
        above = declaration if declaration.doc or documented_above else None
