#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""usage: run_program.py example|acceptance PROGRAM SOURCE

Runs an example or an acceptance program in an empty folder and compares what it prints.

 * If tests/examples/NAME.py (tests/acceptance/NAME.py) exists, that script runs the program: it is
   called with PROGRAM as its argument in an empty folder, and its exit status decides (77: skipped).
 * Otherwise the program runs without arguments, must exit with 0, and its standard output must be
   what its source says: an example in a footer "// Output:" followed by one comment line for each
   line; an acceptance program in the head comment, in the lines indented by three spaces after a
   line that ends with "prints". "..." in an expected line stands for any text, a line that is only
   "..." for any lines.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]


def footer(text):
    lines = text.rstrip().split("\n")
    start = max((i for i, line in enumerate(lines) if line.strip() == "// Output:"), default=None)
    if start is None:
        return None
    expected = []
    for line in lines[start + 1:]:
        if not line.startswith("//"):
            return None
        expected.append(line.removeprefix("//").removeprefix(" "))
    return expected


def head(text):
    expected, inside = [], False
    for line in text.split("\n"):
        if not line.startswith("//"):
            break
        if inside and line.startswith("//   "):
            expected.append(line[5:])
        else:
            inside = line.rstrip().rstrip(":").lower().endswith("prints")
    return expected or None


def matches(expected, actual):
    """Compares lines; see the module's comment for what `...` means."""
    if not expected:
        return not actual
    if expected[0].strip() == "...":
        return any(matches(expected[1:], actual[skip:]) for skip in range(len(actual) + 1))
    if not actual:
        return False
    pattern = ".*".join(re.escape(part) for part in expected[0].split("..."))
    return re.fullmatch(pattern, actual[0]) is not None and matches(expected[1:], actual[1:])


def main(kind, program, source):
    program = str(pathlib.Path(program).resolve())
    source = pathlib.Path(source).resolve()
    folder = "examples" if kind == "example" else "acceptance"
    script = TESTS / folder / (source.stem + ".py")
    with tempfile.TemporaryDirectory(prefix="penstock-") as empty:
        if script.exists():
            status = subprocess.run([sys.executable, str(script), program], cwd=empty,
                                    stdin=subprocess.DEVNULL).returncode
            if status < 0:
                print(f"{script.name} was ended by signal {-status}")
            return status
        text = source.read_text()
        expected = footer(text) if kind == "example" else head(text)
        if expected is None:
            if kind == "acceptance":
                print(f"[skip] {source.name}: compiled, but neither a head comment that says what "
                      f"it prints nor {script.relative_to(TESTS.parent)}")
                return 77
            print(f"{source}: has no footer '// Output:' and there is no "
                  f"{script.relative_to(TESTS.parent)}")
            return 1
        ran = subprocess.run([program], cwd=empty, stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, errors="replace")
        actual = ran.stdout.rstrip("\n").split("\n") if ran.stdout.strip("\n") else []
        if ran.returncode != 0:
            print(f"{source.name} ended with status {ran.returncode}")
        elif not matches(expected, actual):
            print(f"{source.name} printed something else than its source says")
        else:
            return 0
        print("expected:", *expected, "printed:", *actual, sep="\n  ")
        if ran.stderr:
            print("standard error:", ran.stderr)
        return 1


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main(*sys.argv[1:]))
