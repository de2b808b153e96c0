#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The checker of tests/compile_fail finds what is wrong with a test; see planted/compile_fail."""
import re
import sys

import planted
from common import ROOT, Finding, Report

sys.path.insert(0, str(ROOT / "tests" / "support"))
import compile_fail  # noqa: E402

report = Report()
for case in sorted((planted.PLANTED / "compile_fail").glob("*.cpp")):
    wanted = re.search(r"// expect-problem: (.*)", case.read_text())[1]
    problem = compile_fail.check(case, ["g++"]) or "none"
    right = re.search(wanted, problem.split("\n")[0]) is not None
    report.case(f"planted compile_fail {case.name}",
                [] if right else [Finding(case.name, 0, "problem", f"'{wanted}' expected: {problem}")])
report.finish()
