#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the page of a stream operator shows is what a test runs: see marbles.py."""
import marbles
import planted
from common import ROOT, Report

report = Report()
report.case("the marbles of each operator's section are run by a test", marbles.check(ROOT))
planted.prove(report, "marbles", marbles.check)
report.finish()
