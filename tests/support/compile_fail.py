#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""usage: compile_fail.py FOLDER -- COMPILER...

Each FOLDER/*.cpp holds code that must not compile, and beside it the same thing done right:

    // expect-error: a regular expression
    #ifdef MUST_FAIL
    bad
    #else
    good
    #endif

It must compile without MUST_FAIL, must not with it, and one line of what the compiler then says
matches the expression; all of it at most 40 lines. "// expect-error(g++):" and
"// expect-error(clang):" are for one compiler only; with nothing for the other, only that one is asked.

Most of the time would go into reading core.hpp again and again: it is precompiled once, and every
case gets it first.
"""
import concurrent.futures
import functools
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import memo  # noqa: E402

FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fno-diagnostics-color"]
PRECOMPILED = "#include <penstock/core.hpp>\n"
MOST_LINES = 40
EXPECT = re.compile(r"^// expect-error(?:\(([^)]*)\))?:\s*(.+?)\s*$", re.M)


def expectation(text, family):
    general = None
    for which, pattern in EXPECT.findall(text):
        if which == family:
            return pattern
        if not which:
            general = pattern
    return general


def family_of(compiler):
    return "clang" if any("clang" in word for word in compiler) else "g++"


def precompile(compiler, folder):
    """The words that make the compiler begin with PRECOMPILED; none when it cannot."""
    header = pathlib.Path(folder) / "precompiled.hpp"
    header.write_text(PRECOMPILED)
    clang = family_of(compiler) == "clang"
    made = header.with_suffix(".pch" if clang else ".hpp.gch")
    done = subprocess.run([*compiler, *FLAGS, "-x", "c++-header", str(header), "-o", str(made)],
                          capture_output=True)
    if done.returncode != 0:
        return []
    return ["-include-pch", str(made)] if clang else ["-include", str(header)]


def check(path, compiler, begin=()):
    """Nothing, or what is wrong."""
    text = path.read_text()
    pattern = expectation(text, family_of(compiler))
    if pattern is None:
        return "has no line '// expect-error: regex'"
    if "#ifdef MUST_FAIL" not in text or "#else" not in text:
        return "has no '#ifdef MUST_FAIL' with an '#else' that compiles"
    command = [*compiler, *FLAGS, *begin, "-fsyntax-only", str(path)]
    good = subprocess.run(command, capture_output=True, text=True)
    if good.returncode != 0:
        return "the good half does not compile:\n" + good.stderr
    bad = subprocess.run([*command, "-DMUST_FAIL"], capture_output=True, text=True)
    if bad.returncode == 0:
        return "the bad half compiles"
    if not any(re.search(pattern, line) for line in bad.stderr.splitlines()):
        return f"no line of the message matches '{pattern}':\n{bad.stderr}"
    lines = len(bad.stderr.splitlines())
    if lines > MOST_LINES:
        return f"the message has {lines} lines, at most {MOST_LINES}:\n{bad.stderr}"
    return None


def main(arguments):
    folder = pathlib.Path(arguments[0])
    compiler = [word for word in arguments[2:] if not word.endswith("ccache")]
    files = [p for p in sorted(folder.glob("*.cpp"))
             if expectation(p.read_text(), family_of(compiler)) or not EXPECT.search(p.read_text())]
    remembered = memo.Memo("compile_fail", [*compiler, *FLAGS], pathlib.Path(__file__))

    failed = 0
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        lock = threading.Lock()
        made = functools.cache(lambda: precompile(compiler, folder))

        def begin():
            with lock:  # the first case that is not remembered makes it
                return made()

        def run(path):
            return remembered.get(path, lambda: check(path, compiler, begin()))

        for path, problem in zip(files, pool.map(run, files)):
            if problem:
                failed += 1
                print(f"{path}: {problem}")
    remembered.save()
    print(f"[cases] {len(files) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
