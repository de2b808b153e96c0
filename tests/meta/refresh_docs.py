#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What scripts/docs runs."""
import sys

import snippets
from common import ROOT, relative

problems = 0
for path in snippets.pages(ROOT):
    try:
        text = snippets.fixed(ROOT, path)
    except snippets.Missing as problem:
        print(f"{relative(ROOT, path)}: {problem}")
        problems += 1
        continue
    if text != path.read_text():
        path.write_text(text)
        print(f"{relative(ROOT, path)}: refreshed")
for check in (snippets.check, snippets.check_links):
    for finding in check(ROOT):
        print(finding)
        problems += 1
sys.exit(1 if problems else 0)
