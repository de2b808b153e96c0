# SPDX-License-Identifier: BSL-1.0
"""What the meta tests share. A check is a function from a tree to findings; a finding is a place, a
rule and a sentence. Each check_*.py runs its checks over the project, counts each as one case, and
proves each with planted cases (tests/meta/planted): see planted.py."""
import pathlib
import re
import sys
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


@dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def relative(root, path):
    return path.relative_to(root).as_posix()


def sources(root, *folders, suffixes=(".hpp", ".cpp", ".ipp")):
    """The files of ours in these folders, planted cases aside."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            if path.suffix in suffixes and "planted" not in parts and path.is_file():
                yield path


def headers(root):
    return sources(root / "include" / "penstock", ".", suffixes=(".hpp",))


def public_headers(root):
    return (path for path in headers(root) if "detail" not in path.relative_to(root).parts)


class Report:
    """Counts cases and prints their findings."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def case(self, name, findings):
        findings = [str(finding) for finding in findings]
        if findings:
            self.failed += 1
            print(f"{name}:")
            for finding in findings:
                print(f"  {finding}")
        else:
            self.passed += 1

    def skip(self, name, reason):
        self.skipped += 1
        print(f"[skip] {name}: {reason}")

    def finish(self):
        print(f"[cases] {self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed else 0)


def allowed(name):
    """The lines of tests/meta/allow/NAME: "KEY  reason". A reason is required."""
    path = ROOT / "tests" / "meta" / "allow" / name
    keys = {}
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        key, _, reason = line.partition("  ")
        if not reason.strip():
            raise SystemExit(f"{path}:{number}: '{key}' has no reason (two blanks before it)")
        keys[key.strip()] = reason.strip()
    return keys
