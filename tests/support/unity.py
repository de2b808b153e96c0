#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""unity.py OUTPUT FILE... writes one translation unit of several test files: first all headers that
they include, then each file in a namespace of its own, so that equal names do not meet. Templates
and headers are then compiled once for all of them."""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"][^>"]+[>"])', re.M)


def unity(paths):
    """The text of the unit. Its headers come in the order in which the files name them."""
    headers, bodies = {}, []
    for number, path in enumerate(paths):
        headers.update(dict.fromkeys(INCLUDE.findall(path.read_text())))
        bodies.append(f'namespace unity_{number} {{\n#include "{path.resolve()}"\n}}\n')
    return "".join(f"#include {name}\n" for name in headers) + "".join(bodies)


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(unity([pathlib.Path(name) for name in sys.argv[2:]]))
