# SPDX-License-Identifier: BSL-1.0
"""What the page of a stream operator shows is what a test runs.

A section of docs/reference/stream-*.md (and codecs.md) that begins with `#include <penstock/...>`
belongs to an operator. It has

 * a snippet;
 * **Shape.**: marbles in code spans. Those of one case (cases are parted by `;`) stand as strings,
   in this order, in one CHECK of a test in tests/stream or tests/io that calls the operator. Or words without a marble,
   which say "as" another section, or "no marble:" and why;
 * **Ordering.**: when it emits, backpressures, completes, fails and cancels;
 * **When not.**;

and the Shape and Ordering of a doc comment in that header are the same."""
import re

from common import Finding, line_of, relative, sources
from snippets import FENCE

SECTION = re.compile(r"^## (.+)\n+`#include <(penstock/[^>]+)>`", re.M)
NEXT = re.compile(r"^## ", re.M)
BULLET = re.compile(r"^- \*\*([A-Z][A-Za-z ]*)\.\*\* *(.*(?:\n  .*)*)", re.M)
COMMENT = re.compile(r"^/// \*\*([A-Z][A-Za-z ]*)\.\*\* *(.*(?:\n///(?! \*\*).*)*)", re.M)
SPAN = re.compile(r"`([^`]*)`")
MARBLE = re.compile(r"(?=.*[-|#])[\w \-|#()\[\],./!]+")
WORDS = ("emits", "backpressures", "completes", "fails", "cancels")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
TOKEN = re.compile(STRING.pattern + r"|'(?:[^'\\]|\\.)+'|//[^\n]*|[()]", re.S)


def plain(text):
    return " ".join(text.replace("///", " ").split())


def pages(root):
    folder = root / "docs" / "reference"
    return sorted(folder.glob("stream-*.md")) + sorted(folder.glob("codecs.md"))


def checks(text):
    """The strings in each CHECK(...) of a test file."""
    for begin in re.finditer(r"\bCHECK\(", text):
        depth, strings = 1, []
        for token in TOKEN.finditer(text, begin.end()):
            if token[0] == "(":
                depth += 1
            elif token[0] == ")":
                depth -= 1
                if depth == 0:
                    break
            elif token[1] is not None:
                strings.append(token[1])
        yield strings


def cases(shape):
    """The marbles of each case."""
    for case in re.sub(r"`[^`]*`", lambda m: m[0].replace(";", ","), shape).split(";"):
        marbles = [span for span in SPAN.findall(case) if MARBLE.fullmatch(span)]
        if marbles:
            yield marbles


def holds(strings, marbles):
    rest = iter(strings)
    return all(marble in rest for marble in marbles)


def check_section(root, place, line, name, header, body, tested):
    bullets = {}
    for found in BULLET.finditer(body):
        bullets.setdefault(found[1], (found[2], line + line_of(body, found.start()) - 1))
    if not FENCE.search(body):
        yield Finding(place, line, "snippet", f"{name}: no code")
    if "When not" not in bullets:
        yield Finding(place, line, "when-not", f"{name}: no **When not.**")
    ordering, at = bullets.get("Ordering", ("", line))
    missing = [word for word in WORDS if not re.search(rf"\b{word}\b", ordering)]
    if missing:
        yield Finding(place, at, "ordering", f"{name}: does not say when it {', '.join(missing)}")
    shape, at = bullets.get("Shape", ("", line))
    shown = list(cases(shape))
    if not shown and not re.search(r"\bas `|no marble:", shape):
        yield Finding(place, at, "shape", f"{name}: no marble in **Shape.**, and no reason")
    for marbles in shown:
        if not any(holds(strings, marbles) for text, found in tested
                   if re.search(rf"\b{name}[(<]", text) for strings in found):
            yield Finding(place, at, "marble", f"{name}: no CHECK has {' and '.join(marbles)}")
    path = root / "include" / header
    comments = COMMENT.findall(path.read_text()) if path.exists() else []
    for heading in ("Shape", "Ordering"):
        text, at = bullets.get(heading, ("", line))
        if text and plain(text) not in {plain(said) for which, said in comments if which == heading}:
            yield Finding(place, at, "header", f"{name}: <{header}> has another **{heading}.**")


def check(root):
    texts = [path.read_text() for path in sources(root, "tests/stream", "tests/io", suffixes=(".cpp",))]
    tested = [(text, list(checks(text))) for text in texts]
    for page in pages(root):
        text = page.read_text()
        for section in SECTION.finditer(text):
            end = NEXT.search(text, section.end())
            body = text[section.start():end.start() if end else len(text)]
            yield from check_section(root, relative(root, page), line_of(text, section.start()),
                                     section[1], section[2], body, tested)
