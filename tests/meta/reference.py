# SPDX-License-Identifier: BSL-1.0
"""What docs/ has to hold: the cost of each public header, and each public name.

A public name is one of namespace penstock (or one inside it, detail aside) that a public header
declares, an enumerator, or a member of a struct of options, of a snapshot or of a report. It occurs
in code on some page: in a code span or in a fenced block. tests/meta/allow/names lists what does
without, as HEADER:NAME or HEADER, with the reason."""
import re

import declarations
import snippets
from common import Finding, line_of, public_headers, relative

COSTS = "docs/reference/include-cost.md"
# What is included once in a program costs once: its section has the figures.
NO_ROW = {"penstock/src.hpp"}
COST_ROW = re.compile(r"^\| `<(penstock/[^>]+)>` \|", re.M)


def check_costs(root):
    """The table of costs has a row for each public header, and no other."""
    page = root / COSTS
    text = page.read_text() if page.exists() else ""
    rows = {row[1]: line_of(text, row.start()) for row in COST_ROW.finditer(text)}
    for path in public_headers(root):
        name = path.relative_to(root / "include").as_posix()
        if name not in rows and name not in NO_ROW:
            yield Finding(relative(root, path), 0, "cost",
                          f"has no row in {COSTS}: scripts/bench --headers prints the table")
    for header, line in rows.items():
        if not (root / "include" / header).exists():
            yield Finding(COSTS, line, "cost", f"there is no <{header}>")


CODE_SPAN = re.compile(r"`([^`\n]+)`")
FILE_NAME = re.compile(r"[\w./-]*\w\.(?:hpp|cpp|md|py)\b")
# Structs whose members a user writes or reads.
SHOWN = re.compile(r"_(?:options|stats|report|progress|limits|plan|status|decision)$")
EXEMPT = {"operator", "validate", "to_string", "swap"}


def code_words(root):
    """The words that stand in code on the pages of docs/."""
    words = set()
    for path in sorted((root / "docs").rglob("*.md")):
        text = path.read_text()
        code = [fence["body"] for fence in snippets.FENCE.finditer(text)]
        code += CODE_SPAN.findall(snippets.FENCE.sub("", text))
        words |= set(re.findall(r"\w+", FILE_NAME.sub(" ", "\n".join(code))))
    return words


def public_names(path):
    """(name, line) of what a header declares for its users."""
    for d in declarations.read(path.read_text()):
        hidden = d.scope[:1] != ("penstock",) or {"detail", "(anonymous)"} & set(d.scope)
        if hidden or not re.fullmatch(r"[A-Za-z]\w*", d.name) or d.name in EXEMPT:
            continue
        if not d.type.endswith("::"):  # else a member, defined outside of its class
            yield d.name, d.line
        if d.kind == "enum" or d.kind == "class" and SHOWN.search(d.name):
            for member in d.members:
                if member.kind in ("enumerator", "variable") and member.public:
                    yield member.name, member.line


def check_names(root, allow):
    words = code_words(root)
    base = root / "include" / "penstock"
    for path in public_headers(root):
        place = path.relative_to(base).as_posix()
        if place in allow:
            continue
        for name, line in public_names(path):
            if name not in words and f"{place}:{name}" not in allow:
                yield Finding(relative(root, path), line, "name",
                              f"no page of docs/ has `{name}` (or tests/meta/allow/names, with a reason)")
