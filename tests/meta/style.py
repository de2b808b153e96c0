# SPDX-License-Identifier: BSL-1.0
"""The shape of files: headers' first lines and size, words and clocks that have no place."""
import re

from common import Finding, headers, line_of, relative, sources

WARN_LINES, MOST_LINES = 400, 600
EXAMPLE_LINES = 150
WAIVER = re.compile(r"^// size-waiver: \S", re.M)
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.M)
UNDEF = re.compile(r"^[ \t]*#[ \t]*undef[ \t]+(\w+)", re.M)
# Namespaces are not indented here: what is indented is inside a function.
USING_NAMESPACE = re.compile(r"^using namespace\b", re.M)


def check_header_lines(root):
    base = root / "include"
    for path in headers(root):
        lines = path.read_text().split("\n")
        place = relative(root, path)
        wanted = [f"// {relative(base, path)}", "// SPDX-License-Identifier: BSL-1.0", "#pragma once"]
        for number, line in enumerate(wanted, 1):
            if len(lines) < number or lines[number - 1] != line:
                yield Finding(place, number, "head", f"this line must be '{line}'")
        is_private = "detail" in path.relative_to(base).parts
        is_umbrella = path.with_suffix("").is_dir() or path.name == "penstock.hpp"
        if not is_private and not is_umbrella and lines[4:5] != ["/// @file"]:
            yield Finding(place, 5, "head", "this line must be '/// @file', the comment of the file")


def check_header_size(root):
    for path in headers(root):
        text = path.read_text()
        count = text.count("\n")
        if count > MOST_LINES and not WAIVER.search(text):
            yield Finding(relative(root, path), 0, "size",
                          f"{count} lines, at most {MOST_LINES} without '// size-waiver: reason'")


def large_headers(root):
    """Not findings: headers that have grown past the warning mark."""
    for path in headers(root):
        count = path.read_text().count("\n")
        if count > WARN_LINES:
            yield f"{relative(root, path)}: {count} lines"


def check_header_content(root):
    for path in headers(root):
        text = path.read_text()
        place = relative(root, path)
        gone = set(UNDEF.findall(text))
        for found in DEFINE.finditer(text):
            if not found[1].startswith("PENSTOCK_") and found[1] not in gone:
                yield Finding(place, line_of(text, found.start(1)), "macro",
                              f"{found[1]} leaks: name it PENSTOCK_... or #undef it")
        for found in USING_NAMESPACE.finditer(text):
            if "literals" not in text[found.start():text.index("\n", found.start() + 1)]:
                yield Finding(place, line_of(text, found.end()), "using-namespace",
                              "a header opens no namespace for its users")


def check_example_size(root):
    for path in sorted((root / "examples").glob("*.cpp")):
        count = path.read_text().count("\n")
        if count >= EXAMPLE_LINES:
            yield Finding(relative(root, path), 0, "size",
                          f"{count} lines, an example has less than {EXAMPLE_LINES}")


CLOCKS = re.compile(r"this_thread::sleep_|\busleep\(|\bnanosleep\(|\b(?:steady|system|high_resolution)"
                    r"_clock::now|\bclock_gettime\(|\bgettimeofday\(|[^_\w]time\((?:NULL|nullptr|0)\)")
STDERR = re.compile(r"\bstd::cerr\b|\bstd::clog\b")


def check_clocks(root, allow):
    """Tests never sleep and never look at a clock; the library takes time from its environment."""
    for path in sources(root, "tests", "include", suffixes=(".hpp", ".cpp", ".ipp")):
        place = relative(root, path)
        text = path.read_text()
        if any(place == key or key.endswith("/") and place.startswith(key) for key in allow):
            continue
        for found in CLOCKS.finditer(text):
            yield Finding(place, line_of(text, found.start()), "clock",
                          f"'{found[0].strip()}' has no place here (tests/meta/allow/clocks)")
        for found in STDERR.finditer(text) if place.startswith("tests/") else []:
            yield Finding(place, line_of(text, found.start()), "stderr", f"{found[0]} in a test")


# Written so that this file does not find itself.
UNFINISHED = re.compile(r"\b(?:to" r"do|fix" r"me|xx" r"x|st" r"ub|place" r"holder|not imple" r"mented|"
                        r"for n" r"ow|simpli" r"fied)\b", re.I)
MACHINE = re.compile(r"(?<![\w.])/(?:work|farm|root|home/\w+)/")


def check_words(root, allow):
    folders = ("include", "tests", "examples", "benchmarks", "scripts", "docs", "packaging", ".ci")
    suffixes = (".hpp", ".cpp", ".ipp", ".py", ".sh", ".md", ".build", ".txt", "")
    files = [p for p in sources(root, *folders, suffixes=suffixes)]
    files += [p for p in (root / "README.md", root / "meson.build") if p.exists()]
    for path in files:
        place = relative(root, path)
        text = path.read_text(errors="replace")
        for number, line in enumerate(text.split("\n"), 1):
            found = UNFINISHED.search(line)
            if found and f"{place}:{found[0].lower()}" not in allow:
                yield Finding(place, number, "unfinished", f"'{found[0]}'")
            found = MACHINE.search(line)
            if found:
                yield Finding(place, number, "machine", f"'{found[0]}' is a path of one machine")
