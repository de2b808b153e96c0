#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Lists the test programs and what each is made of, one program a line.

Nothing is registered by hand: a file is found by its place and name.

    unit MODULE FILE...        tests/MODULE/**/*_test.cpp: one program per module
    fault MODULE FILE...       tests/fault/**/*_test.cpp: one program per file

With --only-deep just the files named deep_*_test.cpp (the chains that are run at every
optimisation level). Paths are relative to tests/.
"""
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
NOT_MODULES = {"support", "meta", "compile_fail", "acceptance", "examples"}


def programs(only_deep=False):
    found = {}
    for path in sorted(TESTS.rglob("*_test.cpp")):
        relative = path.relative_to(TESTS)
        module = relative.parts[0]
        if len(relative.parts) < 2 or module in NOT_MODULES:
            continue
        if only_deep and not path.name.startswith("deep_"):
            continue
        if module == "fault":
            found[("fault", path.stem)] = [relative.as_posix()]
        else:
            found.setdefault(("unit", module), []).append(relative.as_posix())
    return found


if __name__ == "__main__":
    for (suite, name), files in sorted(programs("--only-deep" in sys.argv[1:]).items()):
        print(suite, name, *files)
