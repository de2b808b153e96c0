#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
# timeout: 1500
"""The traps of g++ 12.2 that need types (G2 to G7), in every program that the build compiles."""
import concurrent.futures
import os
import pathlib
import re
import sys

import lint_ast
import planted
from common import ROOT, Report, relative

sys.path.insert(0, str(ROOT / "tests" / "support"))
import memo  # noqa: E402

AWAITS = re.compile(r"\bco_(?:await|yield)\b")
PLANTED = planted.PLANTED / "support"


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
    files = [p for p in sorted(lint_ast.compiled_files(build)) if p.is_relative_to(ROOT)
             and relative(ROOT, p).startswith(folders) and awaits(p)]
    findings = []

    def run(path):
        def check():
            found = lint_ast.check_file(path, ROOT, ["-p", str(build)])
            findings.extend(found)
            return found or None

        remembered.get(path, check)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, files))
    remembered.save()
    print(f"looked at {len(files)} programs")
    report.case("every program can be read", [f for f in set(findings) if f.rule in ("parse", "query")])
    for rule in sorted(lint_ast.TEXTS):
        report.case(f"no {rule}", sorted({f for f in findings if f.rule == rule}))
    arguments = ["--", "-std=c++20", f"-I{PLANTED}"]
    # A default argument is also found where it is declared, in the planted header.
    planted.prove(report, "lint_ast", lambda case: [
        f for f in lint_ast.check_file(case, case.parent, arguments) if str(PLANTED) not in f.path])
    report.finish()


main()
