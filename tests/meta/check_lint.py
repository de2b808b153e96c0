#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The traps of g++ 12.2 that syntax shows (G1, G2, G4, G8); check_lint_ast.py has the others."""
import lint
import planted
from common import ROOT, Report

report = Report()
findings = list(lint.check(ROOT))
for rule in ("G1", "G2", "G4", "G8"):
    report.case(f"no {rule}", [f for f in findings if f.rule == rule])
planted.prove(report, "lint", lint.check)
report.finish()
