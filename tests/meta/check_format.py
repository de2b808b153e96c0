#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every C++ file is as clang-format 14 leaves it."""
import re
import shutil
import subprocess

from common import ROOT, Finding, Report, relative, sources

report = Report()
tool = shutil.which("clang-format-14")
if tool is None:
    report.skip("C++ is formatted", "no clang-format-14")
else:
    files = [relative(ROOT, p) for p in sources(ROOT, "include", "tests", "examples", "benchmarks")]
    ran = subprocess.run([tool, "--dry-run", *files], cwd=ROOT, capture_output=True, text=True)
    found = {}
    for name, line in re.findall(r"^(\S[^:\n]*):(\d+):\d+: warning: code should", ran.stderr, re.M):
        found.setdefault(name, int(line))
    report.case("C++ is formatted", [
        Finding(name, line, "format", "and maybe more: run clang-format-14 -i")
        for name, line in sorted(found.items())])
report.finish()
