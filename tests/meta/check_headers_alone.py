#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
# timeout: 1200
"""Every header stands alone: included first, and twice, it compiles without a warning. That does
not depend on the compiler; g++ is asked."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

from common import ROOT, Report

sys.path.insert(0, str(ROOT / "tests" / "support"))
import discover  # noqa: E402
import memo  # noqa: E402

COMMAND = ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion",
           "-Werror", "-DASIO_STANDALONE"]


def problem_of(text):
    """What the compiler says of a unit, or None."""
    done = subprocess.run([*COMMAND, f"-I{ROOT / 'include'}", "-x", "c++", "-"], input=text,
                          capture_output=True, text=True)
    return None if done.returncode == 0 else done.stderr or "does not compile"


def unit(header, third_party):
    guard = " && ".join(["1", *(f"__has_include(<{name}>)" for name in third_party)])
    return f"#if {guard}\n" + 2 * f"#include <penstock/{header}>\n" + "#endif\n"


def main():
    report = Report()
    remembered = memo.Memo("headers_alone", COMMAND, pathlib.Path(__file__))

    def check(words):
        _, header, *third_party = words
        path = ROOT / "include" / "penstock" / header
        return header, remembered.get(path, lambda: problem_of(unit(header, third_party)))

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for header, problem in pool.map(check, discover.headers()):
            report.case(f"{header} stands alone", [problem] if problem else [])
    remembered.save()
    # Proof that it can fail.
    report.case("a header that needs another one is found",
                [] if problem_of("inline std::size_t n = 0;\n") else ["it was not"])
    report.finish()


main()
