#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every awaitable of a public header is taken through the cancel matrix by a test of its module."""
import matrix
import planted
from common import ROOT, Report, allowed

allow = allowed("cancel_matrix")
report = Report()
report.case("every awaitable passes the cancel matrix", matrix.check(ROOT, allow))
planted.prove(report, "cancel_matrix", lambda tree: matrix.check(tree, allow))
report.finish()
