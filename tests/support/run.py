#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Configures, builds and runs the tests; scripts/test calls it. See scripts/test --help.

Each variant is a build folder in build/ with one compiler and one set of flags. The list of tests
is meson's own (meson-info/intro-tests.json). What a test is:

 * a doctest program: its cases are counted from the summary that it prints;
 * anything else that prints "[cases] N passed, N failed, N skipped": those are its cases;
 * any other program: one case, skipped with exit status 77.

A line "[skip] NAME: REASON" of a test program names a case that passed over its work.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace

import discover

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
SUITES = ["unit", "compile_fail", "meta", "acceptance", "example", "fault"]
MOST_OUTPUT_LINES = 300
LAST_LINES = 30

DOCTEST_CASES = re.compile(
    r"^\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed\s*\|\s*(?:(\d+) skipped)?",
    re.M)
PLAIN_CASES = re.compile(r"^\[cases\] (\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
SKIP = re.compile(r"^\[skip\] (.*)$", re.M)
# Test files that walk seeds: what --deep repeats.
SEEDED = re.compile(r"#include <(?:support/(?:seeds|penstock_test)|penstock/test/(?:seeds|cancel_matrix))\.hpp>")
COLOURS = re.compile(r"\x1b\[[0-9;]*[mK]")

# abort() makes a report look like any other crash; leaks are failures too.
SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:check_initialization_order=1"
                    ":detect_stack_use_after_return=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:history_size=4",
    "LSAN_OPTIONS": "report_objects=1",
}


@dataclass
class Variant:
    """One build folder: a compiler, flags, and what of the tests is built and run there."""
    name: str
    compiler: str
    options: list
    scope: str = "all"
    suites: tuple = ("unit", "compile_fail", "meta", "acceptance", "example")
    slower: int = 1
    meta: tuple = ()  # of the suite meta only these tests; empty: all
    without: tuple = ()

    @property
    def folder(self):
        return BUILD / self.name


def optimisation(level):
    return [f"-Doptimization={level}", "-Ddebug=false"]


def sanitized(names, level):
    # Frame pointers and line tables for the reports; one error ends the program.
    flags = "-fno-omit-frame-pointer -g1"
    if "undefined" in names:
        flags += " -fno-sanitize-recover=all"
    return [*optimisation(level), f"-Db_sanitize={names}", "-Db_lundef=false",
            f"-Dcpp_args={flags}"]


GCC, CLANG = "g++", "clang++-19"
ADDRESS, THREAD = "address,undefined", "thread"
# Test files compiled together: a third of the time.
TOGETHER = "-Dtest_unit_size=8"
# The library as it is with PENSTOCK_SEPARATE.
SEPARATE = "-Dseparate=true"
PROGRAMS = {"scope": "programs", "suites": ("unit", "fault")}
DEEP = {"scope": "deep", "suites": ("unit",)}
# What depends on the compiler is checked with both; what reads text only once.
COMPILED_META = ("headers", "hostile_neighbours_before", "hostile_neighbours_after",
                 "hostile_macros", "hostile_no_rtti", "hostile_acceptance", "separate", "lint_ast")
# The lint with clang's syntax tree belongs to the variant with clang.
DEFAULT = Variant("gcc", GCC, [*optimisation("0"), TOGETHER], without=("lint_ast",))
MATRIX = [
    replace(DEFAULT, suites=(*SUITES,)),
    Variant("clang", CLANG, [*optimisation("0"), TOGETHER], meta=COMPILED_META),
    # Of the four pairs of compiler and sanitizer these two compile fastest.
    Variant("clang-asan", CLANG, [*sanitized(ADDRESS, "0"), TOGETHER, SEPARATE], slower=4, **PROGRAMS),
    Variant("gcc-tsan", GCC, [*sanitized(THREAD, "0"), TOGETHER, SEPARATE], slower=8, **PROGRAMS),
    Variant("gcc-O1", GCC, optimisation("1"), **DEEP),
    Variant("gcc-O2", GCC, optimisation("2"), **DEEP),
    Variant("gcc-asan-O1", GCC, sanitized(ADDRESS, "1"), slower=4, **DEEP),
    Variant("clang-O1", CLANG, optimisation("1"), **DEEP),
    Variant("clang-O2", CLANG, optimisation("2"), **DEEP),
    Variant("clang-tsan-O1", CLANG, sanitized(THREAD, "1"), slower=8, **DEEP),
]
# Only by name: the other two pairs in full.
MORE = [
    Variant("gcc-asan", GCC, [*sanitized(ADDRESS, "0"), TOGETHER, SEPARATE], slower=4, **PROGRAMS),
    Variant("clang-tsan", CLANG, [*sanitized(THREAD, "0"), TOGETHER, SEPARATE], slower=8, **PROGRAMS),
]


@dataclass
class Outcome:
    """What one test program did."""
    variant: str
    suite: str
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    problem: str = ""
    output: str = ""
    skips: list = field(default_factory=list)


def say(text=""):
    print(text, flush=True)


def run_quietly(command, log, **more):
    """Runs a command with its output in a file."""
    with open(log, "w") as out:
        return subprocess.run(command, stdout=out, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, **more).returncode


def show(text):
    lines = text.rstrip("\n").split("\n")
    if len(lines) > MOST_OUTPUT_LINES:
        half = MOST_OUTPUT_LINES // 2
        lines = lines[:half] + [f"... {len(lines) - 2 * half} lines left out ..."] + lines[-half:]
    for line in lines:
        say("    " + line)


class Setup:
    """Configures and builds the variants."""

    def __init__(self, jobs):
        self.jobs = jobs
        self.ccache = shutil.which("ccache")

    def configure(self, variant):
        """Nothing, or what went wrong. Configures anew only when options or files changed."""
        complete = "true" if variant.scope == "all" else "false"
        command = ["-Dwerror=true", "--wrap-mode=nofallback", f"-Dtest_scope={variant.scope}", f"-Dexamples={complete}",
                   f"-Dbenchmarks={complete}", *variant.options]
        compiler = f"ccache {variant.compiler}" if self.ccache else variant.compiler
        wanted = json.dumps([compiler, command, str(ROOT)])
        files = "\n".join(discover.everything(variant.scope == "deep"))
        folder = variant.folder
        how, what = folder / "penstock-options.json", folder / "penstock-files.txt"
        same_options = how.exists() and how.read_text() == wanted
        if same_options and what.exists() and what.read_text() == files:
            return None
        if same_options:
            call = ["meson", "setup", "--reconfigure", str(folder), str(ROOT)]
        else:
            shutil.rmtree(folder, ignore_errors=True)
            call = ["meson", "setup", *command, str(folder), str(ROOT)]
        BUILD.mkdir(exist_ok=True)
        log = BUILD / f"{variant.name}-setup.log"
        if run_quietly(call, log, env={**os.environ, "CXX": compiler}) != 0:
            return log.read_text()
        how.write_text(wanted)
        what.write_text(files)
        return None

    def ninja(self, variant, *arguments):
        return ["ninja", "-C", str(variant.folder), f"-j{self.jobs}", *arguments]

    def build(self, variant, targets):
        """Builds; True when everything is up to date. What does not build is shown."""
        log = BUILD / f"{variant.name}-build.log"
        if run_quietly(self.ninja(variant, "-k0", *targets), log) == 0:
            return True
        text = COLOURS.sub("", log.read_text())
        # Without ninja's progress lines.
        show("\n".join(line for line in text.split("\n") if not re.match(r"^\[\d+/\d+\] ", line)))
        return False

    def is_fresh(self, variant, target):
        check = subprocess.run(self.ninja(variant, "-n", target), capture_output=True, text=True)
        return check.returncode == 0 and "no work to do" in check.stdout


def tests_of(variant, arguments):
    """meson's list, reduced to the suites asked for."""
    listed = json.loads((variant.folder / "meson-info" / "intro-tests.json").read_text())
    targets = json.loads((variant.folder / "meson-info" / "intro-targets.json").read_text())
    files = {t["id"]: t["filename"] for t in targets}
    chosen = []
    for test in listed:
        suite = test["suite"][0].split(":")[-1]
        name = test["name"]
        if suite not in variant.suites or (arguments.only and suite not in arguments.only):
            continue
        if suite == "meta" and variant.meta and name not in variant.meta or name in variant.without:
            continue
        built = [os.path.relpath(f, variant.folder) for i in test["depends"] for f in files[i]]
        inside = os.path.relpath(test["cmd"][0], variant.folder)
        if not inside.startswith(".."):
            built.append(inside)
        # meson names what it builds relative to the build folder.
        command = [str(variant.folder / word) if word in built else word for word in test["cmd"]]
        chosen.append({"suite": suite, "name": name, "cmd": command, "env": test["env"],
                       "timeout": test["timeout"], "targets": sorted(set(built)),
                       "parallel": test["is_parallel"],
                       "doctest": os.path.basename(test["cmd"][0]).startswith("test-")})
    return chosen


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_test(variant, test, arguments, more_environment):
    outcome = Outcome(variant.name, test["suite"], test["name"])
    scratch = variant.folder / "scratch" / f"{test['suite']}-{test['name']}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    command = list(test["cmd"])
    if test["doctest"]:
        command.append("--no-colors=true")
        if arguments.filter and arguments.filter not in test["name"]:
            command.append(f"--test-case=*{arguments.filter}*")
    environment = {**os.environ, **SANITIZER_ENVIRONMENT, **test["env"], **more_environment,
                   "PENSTOCK_SOURCE_ROOT": str(ROOT), "PENSTOCK_BUILD_ROOT": str(BUILD),
                   "PENSTOCK_BUILD": str(variant.folder)}
    suppressions = ROOT / "tests" / "support" / "tsan.supp"
    if suppressions.exists():
        environment["TSAN_OPTIONS"] += f":suppressions='{suppressions}'"
    for symbolizer in ("llvm-symbolizer-19", "llvm-symbolizer"):
        found = shutil.which(symbolizer)
        if found and variant.compiler == CLANG:
            for tool in ("ASAN", "TSAN", "UBSAN"):
                environment[f"{tool}_SYMBOLIZER_PATH"] = found
            break
    limit = test["timeout"] * variant.slower
    log = scratch.with_suffix(".log")
    start = time.monotonic()
    with open(log, "wb") as out:
        process = subprocess.Popen(command, cwd=scratch, env=environment, stdout=out,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   start_new_session=True)
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        end_group(process)
        process.wait()
    outcome.seconds = time.monotonic() - start
    outcome.output = COLOURS.sub("", log.read_text(errors="replace"))
    count_cases(outcome, test, status, limit, bool(arguments.filter))
    shutil.rmtree(scratch, ignore_errors=True)
    return outcome


def count_cases(outcome, test, status, limit, filtered):
    doctest = DOCTEST_CASES.findall(outcome.output)
    plain = PLAIN_CASES.findall(outcome.output)
    outcome.skips = SKIP.findall(outcome.output)
    if status == 77 and not doctest and not plain:
        outcome.skipped = 1
        outcome.skips = outcome.skips or ["it says that it cannot run here"]
    elif doctest and test["doctest"]:
        _, passed, failed, skipped = doctest[-1]
        outcome.passed, outcome.failed = int(passed), int(failed)
        if not filtered:
            outcome.skipped = int(skipped or 0)
        moved = min(len(outcome.skips), outcome.passed)
        outcome.passed -= moved
        outcome.skipped += moved
    elif plain:
        outcome.passed, outcome.failed, outcome.skipped = map(int, plain[-1])
    elif status == 0:
        outcome.passed = 1
    if status is None:
        outcome.problem = f"took longer than {limit} s and was ended"
    elif status < 0:
        outcome.problem = f"was ended by {signal.Signals(-status).name}"
    elif status not in (0, 77):
        outcome.problem = f"ended with status {status}"
    elif test["doctest"] and not doctest:
        outcome.problem = "printed no summary"
    elif test["doctest"] and not filtered and outcome.passed + outcome.failed + outcome.skipped == 0:
        outcome.problem = "ran no test case"
    if outcome.problem and outcome.failed == 0:
        outcome.failed = 1


def report(outcome):
    cases = outcome.passed + outcome.failed + outcome.skipped
    if cases == 0:
        return
    word = "FAIL" if outcome.failed else "ok"
    say(f"  {word:4} {outcome.suite:12} {outcome.name:28} {cases:5} cases {outcome.seconds:7.1f} s")
    if outcome.failed:
        if outcome.problem:
            say(f"    {outcome.name} {outcome.problem}")
        show(outcome.output)
    for reason in outcome.skips:
        say(f"       skipped: {reason}")


class Session:
    def __init__(self, arguments):
        self.arguments = arguments
        self.setup = Setup(arguments.jobs)
        self.outcomes = []
        self.started = time.monotonic()

    def add(self, outcome):
        self.outcomes.append(outcome)
        report(outcome)

    def failure(self, variant, suite, name, problem, output=""):
        self.add(Outcome(variant.name, suite, name, failed=1, problem=problem, output=output))

    def prepare(self, variant):
        """Configures and builds a variant; gives the tests that can run."""
        start = time.monotonic()
        problem = self.setup.configure(variant)
        if problem:
            self.failure(variant, "build", "configure", "failed", problem)
            return []
        chosen = tests_of(variant, self.arguments)
        if self.arguments.filter:
            text = self.arguments.filter
            chosen = [t for t in chosen if text in t["name"] or t["doctest"]]
        targets = sorted({target for test in chosen for target in test["targets"]})
        # The matrix builds everything, so that benchmarks and fault programs do not rot; else what
        # the chosen tests need.
        part = self.arguments.only or self.arguments.filter
        everything = (self.arguments.matrix or self.arguments.variant) and not part
        complete = True
        if targets or everything:
            complete = self.setup.build(variant, [] if everything else targets)
        say(f"{variant.name}: {variant.compiler} {' '.join(variant.options)}"
            f" ({time.monotonic() - start:.0f} s)")
        ready = []
        for test in chosen:
            if complete or all(self.setup.is_fresh(variant, t) for t in test["targets"]):
                ready.append(test)
            else:
                self.failure(variant, test["suite"], test["name"], "did not build (see above)")
        if not complete and len(ready) == len(chosen):
            self.failure(variant, "build", "build", "failed (see above)")
        return ready

    def run(self, variant, tests, environment=None):
        together = [t for t in tests if t["parallel"]]
        alone = [t for t in tests if not t["parallel"]]
        call = lambda test: run_test(variant, test, self.arguments, environment or {})  # noqa: E731
        with concurrent.futures.ThreadPoolExecutor(self.arguments.jobs) as pool:
            for done in concurrent.futures.as_completed([pool.submit(call, t) for t in together]):
                self.add(done.result())
        for test in alone:
            self.add(call(test))

    def variant(self, variant):
        self.run(variant, self.prepare(variant))

    def deep(self, variant, seconds):
        """Runs the programs that use seeds, with new seeds each round, until the time is over."""
        users = [(module, path) for module, path in discover.module_files("*_test.cpp")
                 if SEEDED.search(path.read_text())]
        seeded = {module for module, _ in users} | {path.stem for _, path in users}
        tests = [t for t in self.prepare(variant) if t["name"] in seeded]
        if not tests:
            say("deep: no test program walks seeds")
            return
        end = time.monotonic() + seconds
        rounds = 0
        while time.monotonic() < end:
            left = max(1, int(end - time.monotonic()))
            base = random.SystemRandom().randrange(1, 2**48)
            rounds += 1
            say(f"deep: round {rounds}, PENSTOCK_TEST_SEED_BASE={base}, {left} s left")
            for test in tests:
                test["timeout"] = max(test["timeout"], left + 600)
            self.run(variant, tests, {"PENSTOCK_TEST_SEED_BASE": str(base),
                                      "PENSTOCK_TEST_SEEDS": "10",
                                      "PENSTOCK_TEST_SECONDS": str(min(60, left))})
            if any(o.failed for o in self.outcomes):
                say(f"deep: repeat it with PENSTOCK_TEST_SEED_BASE={base} PENSTOCK_TEST_SEEDS=10")
                return

    def finish(self):
        totals = {word: sum(getattr(o, word) for o in self.outcomes)
                  for word in ("passed", "failed", "skipped")}
        seconds = time.monotonic() - self.started
        BUILD.mkdir(exist_ok=True)
        summary = {**totals, "seconds": round(seconds, 1), "programs": [
            {"variant": o.variant, "suite": o.suite, "name": o.name, "passed": o.passed,
             "failed": o.failed, "skipped": o.skipped, "seconds": round(o.seconds, 2),
             "problem": o.problem, "skips": o.skips} for o in self.outcomes]}
        (BUILD / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
        say()
        bad = [o for o in self.outcomes if o.failed]
        if bad:
            say("Failed:")
            for o in bad:
                say(f"  {o.variant} {o.suite} {o.name}" + (f": {o.problem}" if o.problem else ""))
                # Again, for where only the end of a long log is kept.
                for line in o.output.strip().split("\n")[-LAST_LINES:]:
                    say("    " + line)
        skips = [(o, reason) for o in self.outcomes for reason in o.skips]
        if skips:
            say("Skipped:")
            for o, reason in skips:
                say(f"  {o.variant} {o.name}: {reason}")
        if totals["passed"] + totals["failed"] == 0:
            say("No test ran.")
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        say(f"{seconds:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of CPU time")
        say(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
        return 1 if totals["failed"] or not totals["passed"] else 0


def parse(words):
    parser = argparse.ArgumentParser(prog="scripts/test", add_help=False)
    parser.add_argument("--matrix", action="store_true")
    parser.add_argument("--deep", nargs="?", const=600, type=int, metavar="SECONDS")
    parser.add_argument("--only", action="append", choices=SUITES, metavar="SUITE")
    parser.add_argument("--filter", metavar="TEXT")
    parser.add_argument("--variant", action="append", choices=[v.name for v in MATRIX + MORE], metavar="NAME")
    parser.add_argument("-j", dest="jobs", type=int, default=os.cpu_count() or 2)
    return parser.parse_args(words)


def main(words):
    # A shell without job control starts what is in the background deaf to SIGINT, and so its children:
    # the tests of stopping send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = parse(words)
    session = Session(arguments)
    if arguments.deep is not None:
        session.deep(replace(DEFAULT, suites=(*SUITES,)), arguments.deep)
    elif arguments.matrix or arguments.variant:
        for variant in MATRIX + MORE:
            if variant.name in arguments.variant if arguments.variant else variant in MATRIX:
                session.variant(variant)
    else:
        default = DEFAULT
        if arguments.only and "fault" in arguments.only:
            default = replace(DEFAULT, suites=(*SUITES,))
        session.variant(default)
        if not arguments.filter and "meta" in (arguments.only or SUITES):
            for name in default.without:
                session.add(Outcome(default.name, "meta", name, skipped=1, skips=["only with --matrix"]))
    return session.finish()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
