#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What it costs to include a header: cpu seconds of one -fsyntax-only run of the compiler.

parse.py side SIDE HEADER... --cxx CXX [--without NAME]
    one run; SIDE is "subject" (the headers of ours) or "baseline" (only the standard and
    third-party headers that they need); prints "RESULT seconds=S"; fails when NAME.hpp or a header
    in a folder NAME is among those of others
parse.py file FILE --cxx CXX [--define NAME]
    what it costs to compile FILE without optimisation; prints "RESULT seconds=S"
parse.py table --cxx CXX... [--runs N]
    all public headers as a Markdown table, seconds and their ratio to <coroutine>, <atomic> and
    <memory>, with columns for each compiler
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include"
INCLUDED = re.compile(r"^\s*#\s*include\s*<([^>]+)>", re.M)
YARDSTICK = ["coroutine", "atomic", "memory"]


def command(cxx, *more):
    return [*compiler(cxx), "-x", "c++", "-fsyntax-only", *more]


def compiler(cxx):
    return [*cxx.split(), "-std=c++20", "-I", str(INCLUDE)]


def source(headers):
    return "".join(f"#include <{header}>\n" for header in headers)


def entered(cxx, headers):
    """The paths of all headers that are included: ours, and those of others."""
    done = subprocess.run(command(cxx, "-H", "-"), input=source(headers), text=True,
                          stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, check=True)
    paths = [line.split(" ", 1)[1] for line in done.stderr.splitlines() if line.startswith(".")]
    ours = [path for path in paths if pathlib.Path(path).is_relative_to(INCLUDE)]
    return ours, [path for path in paths if path not in set(ours)]


def foreign(cxx, headers):
    """The headers of others that `headers` include, directly or through headers of ours."""
    ours, others = entered(cxx, headers)
    named = []
    for path in ours:
        for name in INCLUDED.findall(pathlib.Path(path).read_text()):
            if not name.startswith("penstock/") and name not in named:
                named.append(name)
    # Not those of a branch that the preprocessor left out, such as <queue.h> where <queue/queue.h>
    # was found.
    found = {max((name for name in named if path.endswith("/" + name)), key=len, default="")
             for path in others}
    return [name for name in named if name in found]


def forbid(cxx, headers, name):
    for path in entered(cxx, headers)[1]:
        if name in pathlib.Path(path).with_suffix("").parts:
            sys.exit(f"parse.py: {' and '.join(headers)} include {path}")


def parse_seconds(cxx, headers):
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as file:
        file.write(source(headers))
        file.flush()
        return cpu_seconds(command(cxx, file.name), headers)


def cpu_seconds(words, what):
    child = os.posix_spawnp(words[0], words, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"parse.py: {words[0]} does not accept {what}")
    return usage.ru_utime + usage.ru_stime


def measured(cxx, headers, runs):
    """The least of all runs, for whatever else the machine does only adds to it: of the yardstick,
    and of each header that this compiler accepts here."""
    seconds = {header: [] for header in headers}
    yardstick = []
    for _ in range(runs):
        yardstick.append(parse_seconds(cxx, YARDSTICK))
        for header in list(seconds):
            try:
                seconds[header].append(parse_seconds(cxx, [header]))
            except SystemExit:
                del seconds[header]  # it needs a library that is not here
    return min(yardstick), {header: min(values) for header, values in seconds.items()}


def table(compilers, runs):
    headers = sorted(path.relative_to(INCLUDE).as_posix() for path in INCLUDE.rglob("*.hpp")
                     if "detail" not in path.parts and path.name != "src.hpp")
    columns = [measured(cxx, headers, runs) for cxx in compilers]
    print("| header |" + "".join(f" {cxx} | ratio |" for cxx in compilers))
    print("|---|" + "---|---|" * len(columns))
    yardstick = ", ".join(f"`<{name}>`" for name in YARDSTICK)
    print(f"| {yardstick} |" + "".join(f" {unit:.2f} | 1.0 |" for unit, _ in columns))
    for header in headers:
        cells = [f" {of[header]:.2f} | {of[header] / unit:.1f} |" if header in of else " - | - |"
                 for unit, of in columns]
        print(f"| `<{header}>` |" + "".join(cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["side", "file", "table"])
    parser.add_argument("side", nargs="?", help="or FILE")
    parser.add_argument("headers", nargs="*")
    parser.add_argument("--cxx", nargs="+", default=["g++"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--without")
    parser.add_argument("--define")
    arguments = parser.parse_args()
    if arguments.what == "table":
        table(arguments.cxx, arguments.runs)
        return
    cxx = arguments.cxx[0]
    if arguments.what == "file":
        defined = ["-D" + arguments.define] if arguments.define else []
        words = [*compiler(cxx), *defined, "-c", "-o", os.devnull, arguments.side]
        print(f"RESULT seconds={cpu_seconds(words, arguments.side):.4f}")
        return
    headers = arguments.headers
    if arguments.without:
        forbid(cxx, headers, arguments.without)
    if arguments.side == "baseline":
        headers = foreign(cxx, headers)
    print(f"RESULT seconds={parse_seconds(cxx, headers):.4f}")


if __name__ == "__main__":
    main()
