#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The shape of the files: headers' first lines, size and macros; no sleeps; nothing unfinished."""
import planted
import style
from common import ROOT, Report, allowed

clocks, words = allowed("clocks"), allowed("words")
CHECKS = {
    "a header begins with its title, licence and guard": style.check_header_lines,
    "a header is small": style.check_header_size,
    "a header leaks no macro and opens no namespace": style.check_header_content,
    "an example is short": style.check_example_size,
    "nothing sleeps or looks at a clock of its own": lambda root: style.check_clocks(root, clocks),
    "nothing is unfinished, no path of a machine": lambda root: style.check_words(root, words),
}

report = Report()
for name, check in CHECKS.items():
    report.case(name, check(ROOT))
for line in style.large_headers(ROOT):
    print(f"  warning: {line} (better at most {style.WARN_LINES})")
planted.prove(report, "style", lambda tree: [f for c in CHECKS.values() for f in c(tree)])
report.finish()
