#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The folders: who includes whom, umbrellas, names, and where third-party headers live."""
import layers
import planted
from common import ROOT, Report, allowed

not_in_umbrella = allowed("umbrella")

CHECKS = {
    "a folder includes only what the design lets it": layers.check,
    "the light umbrellas reach no heavy library": layers.check_cost,
    "src.hpp has all that is compiled once": layers.check_once,
    "umbrellas are complete": lambda root: layers.check_umbrellas(root, not_in_umbrella),
    "basenames are unique": layers.check_basenames,
}

report = Report()
for name, check in CHECKS.items():
    report.case(name, check(ROOT))
planted.prove(report, "layers", lambda tree: [f for c in CHECKS.values() for f in c(tree)])
report.finish()
