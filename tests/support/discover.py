#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Lists what the build is made of, one line each. Nothing is registered by hand: a file is found
by its place and its name.

discover.py programs [--only-deep]
    unit MODULE TIMEOUT FILE...    tests/MODULE/**/*_test.cpp: one program per module
    fault NAME TIMEOUT FILE        tests/fault/**/*_test.cpp: one program per file
    --only-deep: only files named deep_*_test.cpp, one program each
discover.py scripts
    SUITE NAME TIMEOUT FILE        tests/MODULE/**/*_test.py, suite unit, or fault in tests/fault;
                                   tests/meta/check_*.py, suite meta
discover.py examples
    NAME FILE                      examples/*.cpp
discover.py acceptance
    NAME FILE LIBRARIES            tests/acceptance/*.cpp whose penstock headers exist
discover.py headers
    NAME HEADER [THIRD_PARTY...]   include/penstock/**/*.hpp, with the optional libraries it needs;
                                   without src.hpp, which is for builds with PENSTOCK_SEPARATE
discover.py foreign-includes
    an #include line for each standard or third-party header that ours include
discover.py all
    all of it: what has to be configured anew when it changes

A program may need longer than two minutes: "// timeout: SECONDS" (in a script "# timeout:") among
its first ten lines.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
NOT_MODULES = {"support", "meta", "compile_fail", "acceptance", "examples"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
OPTIONAL = {
    "hiredis": "-lhiredis", "libpq-fe.h": "-lpq", "sqlite3.h": "-lsqlite3", "zlib.h": "-lz",
    "zstd.h": "-lzstd", "zstd_errors.h": "-lzstd",
    "brotli": "-lbrotlienc -lbrotlidec -lbrotlicommon",
    "openssl": "-lssl -lcrypto", "nghttp2": "-lnghttp2", "asio": "", "asio.hpp": "",
}


def timeout(paths):
    seconds = 120
    for path in paths:
        for line in path.read_text().splitlines()[:10]:
            found = re.match(r"(?://|#)\s*timeout:\s*(\d+)", line)
            if found:
                seconds = max(seconds, int(found[1]))
    return str(seconds)


def of_tests(path):
    return path.relative_to(TESTS).as_posix()


def module_files(pattern):
    for path in sorted(TESTS.rglob(pattern)):
        parts = path.relative_to(TESTS).parts
        if len(parts) > 1 and parts[0] not in NOT_MODULES:
            yield parts[0], path


def programs(only_deep=False):
    found = {}
    for module, path in module_files("*_test.cpp"):
        if only_deep:
            if path.name.startswith("deep_"):
                found[("unit", path.stem)] = [path]
        elif module == "fault":
            found[("fault", path.stem)] = [path]
        else:
            found.setdefault(("unit", module), []).append(path)
    for (suite, name), paths in sorted(found.items()):
        yield [suite, name, timeout(paths), *map(of_tests, paths)]


def scripts():
    for module, path in module_files("*_test.py"):
        suite = "fault" if module == "fault" else "unit"
        yield [suite, path.stem, timeout([path]), of_tests(path)]
    for path in sorted((TESTS / "meta").glob("check_*.py")):
        yield ["meta", path.stem.removeprefix("check_"), timeout([path]), of_tests(path)]


def examples():
    for path in sorted((ROOT / "examples").glob("*.cpp")):
        yield [path.stem, path.name]


def includes(path):
    return INCLUDE.findall(path.read_text())


def optional_includes(path, seen=None):
    """The optional third-party headers that a header of ours reaches."""
    seen = set() if seen is None else seen
    found = set()
    for name in includes(path):
        if name in seen:
            continue
        seen.add(name)
        if name.startswith("penstock/"):
            target = ROOT / "include" / name
            if target.exists():
                found |= optional_includes(target, seen)
        elif name in OPTIONAL or name.split("/")[0] in OPTIONAL:
            found.add(name)
    return found


def acceptance():
    for path in sorted((TESTS / "acceptance").glob("*.cpp")):
        ours = [ROOT / "include" / name for name in includes(path) if name.startswith("penstock/")]
        if not all(header.exists() for header in ours):
            continue
        libraries = set()
        for header in ours:
            for name in optional_includes(header):
                libraries |= set(OPTIONAL.get(name, OPTIONAL.get(name.split("/")[0], "")).split())
        yield [path.stem, of_tests(path), *sorted(libraries)]


def headers():
    base = ROOT / "include" / "penstock"
    for path in sorted(base.rglob("*.hpp")):
        relative = path.relative_to(base).as_posix()
        if relative == "src.hpp":
            continue
        name = relative.removesuffix(".hpp").replace("/", "_")
        yield [name, relative, *sorted(optional_includes(path))]


def foreign_includes():
    found = set()
    for path in (ROOT / "include").rglob("*.hpp"):
        found |= {name for name in includes(path) if not name.startswith("penstock/")}
    for name in sorted(found):
        yield [f"#if __has_include(<{name}>)\n#include <{name}>\n#endif"]


KINDS = {"programs": programs, "scripts": scripts, "examples": examples, "acceptance": acceptance,
         "headers": headers, "foreign-includes": foreign_includes}


def everything(only_deep=False):
    lines = [f"deep {only_deep}"]
    if only_deep:
        return lines + [" ".join(words) for words in programs(True)]
    for name, kind in KINDS.items():
        lines += [" ".join([name, *words]) for words in kind()]
    return lines


def main(arguments):
    only_deep = "--only-deep" in arguments
    if arguments[0] == "all":
        print("\n".join(everything(only_deep)))
        return
    kind = KINDS[arguments[0]]
    for words in kind(only_deep) if arguments[0] == "programs" else kind():
        print(*words)


if __name__ == "__main__":
    main(sys.argv[1:])
