#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Pages and doc comments: code comes from compiled files, links lead somewhere, headings, and what
the reference has to hold."""
import doc_comments
import planted
import reference
import snippets
from common import ROOT, Report, allowed

headings = allowed("headings")
names = allowed("names")
PAGES = {
    "code in pages is taken from compiled files": snippets.check,
    "links lead somewhere": snippets.check_links,
}
COMMENTS = {
    "code in doc comments is taken from compiled files": snippets.check_doc_comments,
    "public declarations have doc comments with the headings they need":
        lambda root: doc_comments.check(root, headings),
}
NAMES = {"each public name is on a page": lambda root: reference.check_names(root, names)}

report = Report()
for name, check in {**PAGES, **COMMENTS, **NAMES}.items():
    report.case(name, check(ROOT))
planted.prove(report, "pages", lambda tree: [f for c in PAGES.values() for f in c(tree)])
planted.prove(report, "doc_comments", lambda tree: [f for c in COMMENTS.values() for f in c(tree)])
planted.prove(report, "names", lambda tree: [f for c in NAMES.values() for f in c(tree)])
report.finish()
