#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the head comment of pipeline.cpp promises, tried: pipeline.py PROGRAM, in an empty folder."""
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import zlib

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
MIB = 1 << 20
CHUNK = 1 << 16
DEADLINE = 120  # seconds


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          timeout=DEADLINE, **options)


def check(good, what):
    if not good:
        sys.exit(f"pipeline: {what}")


def report(done):
    check(done.returncode == 0, f"exit status {done.returncode}: {done.stderr[-300:]}")
    found = re.fullmatch(r"chunks (\d+) in (\d+) out (\d+) crc32 ([0-9a-f]{8})\n", done.stdout)
    check(found, f"printed {done.stdout!r}")
    return int(found[1]), int(found[2]), int(found[3]), int(found[4], 16)


def one_line_error(done, out, what):
    check(done.returncode == 1, f"{what}: exit status {done.returncode}")
    check(done.stdout == "" and done.stderr.count("\n") == 1, f"{what}: printed {done.stderr!r}")
    check(not pathlib.Path(out).exists(), f"{what}: {out} is there")


def good(data, name):
    source, target = pathlib.Path(name), pathlib.Path(name + ".zst")
    source.write_bytes(data)
    chunks, read, written, crc = report(run(source, target))
    check(chunks == (len(data) + CHUNK - 1) // CHUNK, f"{name}: {chunks} chunks")
    check(read == len(data) and crc == zlib.crc32(data), f"{name}: bytes or crc32 are wrong")
    check(written == target.stat().st_size, f"{name}: {written} bytes out")
    if data and shutil.which("zstd"):
        back = subprocess.run(["zstd", "-dc", target], capture_output=True, timeout=DEADLINE)
        check(back.returncode == 0 and back.stdout == data, f"{name}: zstd reads something else")


def files():
    return sorted(os.listdir("."))


def main():
    good(b"", "empty")
    good(b"x", "one")
    good(b"some text, again and again. " * 100_000, "text")
    good(os.urandom(3 * MIB + 17), "noise")
    done = run()
    check(done.returncode == 2 and "usage" in done.stderr, "no usage")

    before = files()
    one_line_error(run("nothing", "out"), "out", "no input")
    one_line_error(run(".", "out"), "out", "a folder as input")
    one_line_error(run("text", "no/folder/out"), "no/folder/out", "no folder")
    # What is there already stays when it fails.
    pathlib.Path("old").write_text("old")
    check(run("nothing", "old").returncode == 1, "no input")
    check(pathlib.Path("old").read_text() == "old", "a failed run has touched the file")
    pathlib.Path("old").unlink()
    # No room for the output, found out in the middle.
    limit = lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                     resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB)))
    one_line_error(run("noise", "out", preexec_fn=limit), "out", "a file too large")
    check(files() == before, f"files are left: {files()}")

    # Memory is bounded whatever the size: a large sparse file.
    with open("large", "wb") as f:
        f.truncate(2048 * MIB)
    child = subprocess.Popen([PROGRAM, "large", "large.zst"], stdout=subprocess.PIPE, text=True)
    peak, end = 0, time.monotonic() + DEADLINE
    while child.poll() is None and time.monotonic() < end:
        try:
            status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+) kB", status)
            peak = max(peak, int(found[1]) if found else 0)
        except OSError:
            pass
        time.sleep(0.02)
    check(child.poll() == 0, "a large file fails, or takes too long")
    check(peak < 64 * 1024, f"{peak} kB of memory for 2 GiB")

    # Stopped in the middle: nothing is left.
    child = subprocess.Popen([PROGRAM, "large", "stopped.zst"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + DEADLINE
    while not any("stopped.zst" in name for name in files()) and time.monotonic() < end:
        time.sleep(0.005)
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=DEADLINE)
    check(child.returncode == 1 and "canceled" in said, f"stopped: {child.returncode} {said!r}")
    check(not any("stopped" in name for name in files()), f"stopped: files are left: {files()}")


main()
