#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""unity.py OUTPUT FILE... writes one translation unit of several test files: first all headers that
they include, then each file in a namespace of its own, so that equal names do not meet. Templates
and headers are then compiled once for all of them."""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def headers_of(path):
    """What it includes, as in its #include lines; a file beside it with the whole path."""
    for quote, name in INCLUDE.findall(path.read_text()):
        beside = path.resolve().parent / name
        if quote == '"':
            yield f'"{beside if beside.is_file() else name}"'
        else:
            yield f"<{name}>"


def unity(paths):
    """The text of the unit. Its headers come in the order in which the files name them."""
    headers, bodies = {}, []
    for number, path in enumerate(paths):
        headers.update(dict.fromkeys(headers_of(path)))
        bodies.append(f'namespace unity_{number} {{\n#include "{path.resolve()}"\n}}\n')
    return "".join(f"#include {name}\n" for name in headers) + "".join(bodies)


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(unity([pathlib.Path(name) for name in sys.argv[2:]]))
