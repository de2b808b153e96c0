#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
# timeout: 1500
"""The traps of g++ 12.2 that need types (G2 to G7), in every program that the build compiles."""
import concurrent.futures
import itertools
import os
import pathlib
import re
import sys

import lint_ast
import planted
from common import ROOT, Report, relative

sys.path.insert(0, str(ROOT / "tests" / "support"))
import discover  # noqa: E402
import memo  # noqa: E402
from unity import unity  # noqa: E402

AWAITS = re.compile(r"\bco_(?:await|yield)\b")
PLANTED = planted.PLANTED / "support"
GROUP = 10  # files


def main():
    report = Report()
    if not lint_ast.available():
        report.skip("lint with clang's syntax tree", f"no {lint_ast.CLANG_QUERY}")
        report.finish()
    build = pathlib.Path(os.environ["PENSTOCK_BUILD"])
    remembered = memo.Memo("lint_ast", [lint_ast.CLANG_QUERY], pathlib.Path(lint_ast.__file__))

    def awaits(path):
        seen = {}
        remembered.reached(path, seen)
        return any(AWAITS.search(file.read_text()) for file in seen)

    folders = ("tests/", "examples/", "benchmarks/")
    compiled = lint_ast.compiled_files(build) | {path for _, path in discover.module_files("*_test.cpp")}
    files = [p for p in sorted(compiled) if p.is_relative_to(ROOT)
             and relative(ROOT, p).startswith(folders) and awaits(p)]
    arguments = ["--", "-std=c++20", "-DASIO_STANDALONE", f"-I{build / 'tests' / 'meta'}"]
    arguments += [f"-I{ROOT / folder}" for folder in ("include", "tests", "benchmarks", "examples")]
    findings = []

    # Several programs are read at once, for most of the time goes into the headers; one by one
    # where they cannot stand together.
    together = remembered.path.parent / "lint_ast"
    together.mkdir(exist_ok=True)

    def run(group):
        unit = together / f"{group[0].stem}.cpp"
        unit.write_text(unity(group))

        def check():
            found = lint_ast.check_file(unit, ROOT, arguments)
            if any(f.rule == "parse" for f in found):
                found = [f for path in group for f in lint_ast.check_file(path, ROOT, ["-p", str(build)])]
            findings.extend(found)
            return found or None

        remembered.get(unit, check)

    groups = []
    for _, folder in itertools.groupby(files, lambda path: path.parent):
        folder = list(folder)
        groups += [folder[i:i + GROUP] for i in range(0, len(folder), GROUP)]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, groups))
    remembered.save()
    print(f"looked at {len(files)} programs")
    report.case("every program can be read", [f for f in set(findings) if f.rule in ("parse", "query")])
    for rule in sorted(lint_ast.TEXTS):
        report.case(f"no {rule}", sorted({f for f in findings if f.rule == rule}))
    alone = ["--", "-std=c++20", f"-I{PLANTED}"]
    # A default argument is also found where it is declared, in the planted header.
    planted.prove(report, "lint_ast", lambda case: [
        f for f in lint_ast.check_file(case, case.parent, alone) if str(PLANTED) not in f.path])
    report.finish()


main()
