#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the head comment of upload_directory.cpp promises, tried: upload_directory.py PROGRAM, in an empty
folder."""
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import time

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
MIB = 1 << 20
DEADLINE = 60  # seconds


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=DEADLINE)


def check(good, what):
    if not good:
        sys.exit(f"upload_directory: {what}")


def report(done, source):
    check(done.returncode == 0, f"exit status {done.returncode}: {done.stderr[-300:]}")
    found = re.fullmatch(rf"{re.escape(str(source))}: parts (\d+) sent (\d+) bytes (\d+)\n", done.stdout)
    check(found, f"printed {done.stdout!r}")
    return tuple(map(int, found.groups()))


def one_line_error(done, what):
    lines = [line for line in done.stderr.replace("\r", "\n").split("\n") if line and "%" not in line]
    check(done.returncode == 1, f"{what}: exit status {done.returncode}")
    check(len(lines) == 1, f"{what}: not one line: {done.stderr!r}")
    check(done.stdout == "", f"{what}: printed {done.stdout!r}")
    return lines[0]


def main():
    store = pathlib.Path("store")
    store.mkdir()
    source = pathlib.Path("film.bin")
    data = os.urandom(52 * MIB + 17)  # ten parts and a rest
    source.write_bytes(data)
    check(report(run(source, store), source) == (11, 11, len(data)), "parts or bytes are wrong")
    check((store / source).read_bytes() == data, "the object differs")
    (store / source).unlink()

    # Killed once some of it is there: a second run sends less than all.
    big = pathlib.Path("big.bin")
    with open(big, "wb") as f:
        for _ in range(16):
            f.write(os.urandom(32 * MIB))
    first = subprocess.Popen([PROGRAM, big, store], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    shown, end = "", time.monotonic() + DEADLINE
    while not (re.findall(r"(\d+) %", shown) and int(re.findall(r"(\d+) %", shown)[-1]) >= 25):
        check(select.select([first.stderr], [], [], max(0, end - time.monotonic()))[0], "no progress")
        text = os.read(first.stderr.fileno(), 4096)
        check(text, "it ended before it could be killed")
        shown += text.decode()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    check(not (store / big).exists(), "a killed upload left an object")
    parts, sent, size = report(run(big, store), big)
    check(parts == 103 and size == 512 * MIB, f"parts {parts} bytes {size}")
    check(0 < sent < parts, f"after a kill it sent {sent} of {parts} parts")
    check((store / big).read_bytes() == big.read_bytes(), "the resumed object differs")

    check("missing.bin" in one_line_error(run("missing.bin", store), "missing source"), "no name")
    one_line_error(run(source, "no-such-store"), "missing store")
    one_line_error(run(store, store), "a directory as source")
    empty = pathlib.Path("empty.bin")
    empty.touch()
    check(report(run(empty, store), empty) == (0, 0, 0), "an empty file")
    check((store / empty).read_bytes() == b"", "no empty object")
    check(run().returncode == 2, "no usage")


main()
