# SPDX-License-Identifier: BSL-1.0
"""Planted cases: proof that a check finds what it should, and nothing else.

tests/meta/planted/NAME/CASE is a small tree (or one file). A line that ends with "expect: RULE"
(after // or #, or in <!-- -->) must be found with that rule, and no other line may be found.
"expect-at N: RULE" anywhere in a file expects a finding at line N; line 0 is the file as a whole.
"""
import re

from common import ROOT, Finding

EXPECT = re.compile(r"(?://|#|<!--).*?\bexpect: ([\w, ./-]+?)(?: *-->)?\s*$")
EXPECT_AT = re.compile(r"\bexpect-at (\d+): ([\w-]+)")
PLANTED = ROOT / "tests" / "meta" / "planted"


def expectations(case):
    wanted = set()
    files = [case] if case.is_file() else sorted(p for p in case.rglob("*") if p.is_file())
    base = case.parent if case.is_file() else case
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = EXPECT.search(line)
            for rule in found[1].split(",") if found else []:
                wanted.add((path.relative_to(base).as_posix(), number, rule.strip()))
            for at, rule in EXPECT_AT.findall(line):
                wanted.add((path.relative_to(base).as_posix(), int(at), rule))
    return wanted


def prove(report, name, check):
    """Runs `check(tree)` over each planted case and compares; each is one test case."""
    cases = sorted((PLANTED / name).iterdir())
    for case in cases:
        wanted = expectations(case)
        found = {(f.path, f.line, f.rule) for f in check(case)}
        problems = [Finding(p, n, r, "is planted and was not found") for p, n, r in wanted - found]
        problems += [Finding(p, n, r, "was found and is not planted") for p, n, r in found - wanted]
        report.case(f"planted {name} {case.name}", sorted(problems))
