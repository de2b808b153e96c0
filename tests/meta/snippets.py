# SPDX-License-Identifier: BSL-1.0
"""Code in prose is taken from compiled files, and links lead somewhere.

A fenced cpp block of README.md or docs/ has, on the line above, the comment

    <!-- snippet: examples/foo.cpp -->            the whole file
    <!-- snippet: examples/foo.cpp region -->     what stands between // [region] and // [/region]

and is identical to that text, without the indentation that all its lines share and without markers
of other regions. `scripts/docs` writes the blocks."""
import re

from common import Finding, headers, line_of, relative

# A fence may be indented, as in a list.
FENCE = re.compile(r"^(?P<indent>[ \t]*)```[ \t]*(?P<language>[\w+#-]*)[^\n]*\n(?P<body>.*?)^[ \t]*```[ \t]*$",
                   re.M | re.S)
SNIPPET = re.compile(r"^[ \t]*<!-- snippet: (\S+)(?: ([\w-]+))? -->[ \t]*\n\Z", re.M)
ANY_SNIPPET = re.compile(r"^[ \t]*<!-- snippet: [^\n]*-->[ \t]*$", re.M)
MARKER = re.compile(r"^[ \t]*// \[/?[\w-]+\][ \t]*$")
CPP = {"cpp", "c++", "cc", "cxx", "hpp", "c"}
LOOKS_LIKE_CPP = re.compile(r"\bco_await\b|#include\s*<|\bstd::|\bpenstock::|\bauto\s+\w+\s*=")
COMPILED = ("examples/", "tests/", "benchmarks/", "include/")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$", re.M)


def pages(root):
    found = [root / "README.md"] if (root / "README.md").exists() else []
    for folder in ("docs", "examples", "benchmarks", "tests", "scripts"):
        found += [p for p in sorted((root / folder).rglob("*.md"))
                  if "planted" not in p.relative_to(root).parts]
    return found


class Missing(Exception):
    pass


def region(root, file, name):
    """The text of a region of a file, or of the whole file."""
    path = root / file
    if not file.startswith(COMPILED) or path.suffix not in (".cpp", ".hpp") or not path.exists():
        raise Missing(f"{file} is not a compiled file of the project")
    lines = path.read_text().rstrip("\n").split("\n")
    if name:
        marks = [i for i, line in enumerate(lines) if line.strip() == f"// [{name}]"]
        ends = [i for i, line in enumerate(lines) if line.strip() == f"// [/{name}]"]
        if len(marks) != 1 or len(ends) != 1 or ends[0] < marks[0]:
            raise Missing(f"{file} has not exactly one region // [{name}] ... // [/{name}]")
        lines = lines[marks[0] + 1:ends[0]]
    lines = [line for line in lines if not MARKER.match(line)]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    shared = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "".join(line[shared:] + "\n" if line.strip() else "\n" for line in lines)


def blocks(text):
    """Each fenced block with the snippet comment above it, if there is one."""
    for fence in FENCE.finditer(text):
        yield fence, SNIPPET.search(text[:fence.start()])


def indented(text, indent):
    return "".join(indent + line + "\n" if line else "\n" for line in text.splitlines())


def check(root):
    for path in pages(root):
        text = path.read_text()
        place = relative(root, path)
        used = set()
        for fence, snippet in blocks(text):
            line = line_of(text, fence.start("language"))
            if snippet:
                used.add(snippet.start(1))
                try:
                    wanted = region(root, snippet[1], snippet[2])
                except Missing as problem:
                    yield Finding(place, line, "snippet", str(problem))
                    continue
                if fence["body"] != indented(wanted, fence["indent"]):
                    yield Finding(place, line, "snippet", "is not what the file says: run scripts/docs")
            elif fence["language"].lower() in CPP:
                yield Finding(place, line, "snippet",
                              "C++ without '<!-- snippet: FILE REGION -->' on the line above")
            elif not fence["language"] and LOOKS_LIKE_CPP.search(fence["body"]):
                yield Finding(place, line, "snippet", "looks like C++ and is taken from no file")
        for comment in ANY_SNIPPET.finditer(text):
            if not any(comment.start() <= start < comment.end() for start in used):
                yield Finding(place, line_of(text, comment.start()), "snippet",
                              "a snippet comment without a block right below")


def fixed(root, path):
    """The page with its blocks as the files say."""
    text = path.read_text()
    out, position = [], 0
    for fence, snippet in blocks(text):
        if not snippet:
            continue
        out.append(text[position:fence.start("body")])
        out.append(indented(region(root, snippet[1], snippet[2]), fence["indent"]))
        position = fence.end("body")
    out.append(text[position:])
    return "".join(out)


def slug(heading):
    """GitHub's anchor of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def prose(text):
    """The page without its fenced blocks and code spans, line by line as long as before."""
    text = FENCE.sub(lambda m: "\n" * m[0].count("\n"), text)
    return re.sub(r"`[^`\n]*`", "``", text)


def check_links(root):
    anchors = {}
    for path in pages(root):
        names = [slug(h) for h in HEADING.findall(FENCE.sub("", path.read_text()))]
        # A heading that comes again gets a number.
        anchors[path.resolve()] = {n if names.index(n) == i else f"{n}-{names[:i].count(n)}"
                                   for i, n in enumerate(names)}
    for path in pages(root):
        text = prose(path.read_text())
        for link in LINK.finditer(text):
            target, _, anchor = link[1].partition("#")
            place = (relative(root, path), line_of(text, link.start()))
            if re.match(r"[a-z]+:", target):
                continue
            file = (path.parent / target).resolve() if target else path.resolve()
            if not file.exists():
                yield Finding(*place, "link", f"{link[1]} leads nowhere")
            elif anchor and file.suffix == ".md" and anchor not in anchors.get(file, {anchor}):
                yield Finding(*place, "link", f"{target or path.name} has no heading #{anchor}")


DOC_SNIPPET = re.compile(r"^\s*///.*?@snippet[ \t]+(\S+)(?:[ \t]+([\w-]+))?", re.M)
DOC_FENCE = re.compile(r"^\s*/// ?```", re.M)


def check_doc_comments(root):
    """`@snippet FILE REGION` in a doc comment exists; no code is written out beside it."""
    for path in headers(root):
        text = path.read_text()
        place = relative(root, path)
        for found in DOC_SNIPPET.finditer(text):
            file = found[1] if "/" in found[1] else f"examples/{found[1]}"
            try:
                region(root, file.rstrip("."), found[2])
            except Missing as problem:
                yield Finding(place, line_of(text, found.start(1)), "snippet", str(problem))
        for found in DOC_FENCE.finditer(text):
            yield Finding(place, line_of(text, found.end()), "snippet",
                          "code in a doc comment: use @snippet")
