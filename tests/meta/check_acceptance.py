#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The acceptance programs are the user's, word for word, where the originals are at hand."""
from common import ROOT, Finding, Report, relative

ORIGINALS = ROOT.parent / "shared" / "acceptance"

report = Report()
for path in sorted((ROOT / "tests" / "acceptance").glob("*.cpp")):
    original = ORIGINALS / path.name
    if not original.exists():
        report.skip(f"acceptance program {path.name}", "its original is not beside this checkout")
    else:
        same = original.read_bytes() == path.read_bytes()
        report.case(f"acceptance program {path.name}",
                    [] if same else [Finding(relative(ROOT, path), 0, "changed", "is not the original")])
report.finish()
