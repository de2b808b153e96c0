#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The example as its user runs it: chunked_upload.py PROGRAM, in an empty folder."""
import os
import pathlib
import subprocess
import sys

PROGRAM = pathlib.Path(sys.argv[1]).resolve()


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)


def check(good, what):
    if not good:
        sys.exit(f"chunked_upload: {what}")


def one_sentence(done, status, word):
    lines = [line for line in done.stderr.splitlines() if " of " not in line or "%" not in line]
    check(done.returncode == status, f"{word}: exit status {done.returncode}: {done.stderr}")
    check(len(lines) == 1 and word in lines[0], f"{word}: not one sentence: {done.stderr!r}")


def main():
    store = pathlib.Path("store")
    store.mkdir()
    film = pathlib.Path("film.bin")
    film.write_bytes(os.urandom(12_000_000))
    done = run(film, store, "--part-size", "1M", "--concurrency", "2")
    check(done.returncode == 0, done.stderr)
    check(done.stdout == "film.bin: parts 12 sent 12 bytes 12000000\n", done.stdout)
    check("100 %, 12 of 12 parts" in done.stderr, f"no progress: {done.stderr!r}")
    check((store / film).read_bytes() == film.read_bytes(), "the object differs")
    check(sorted(os.listdir(store)) == ["film.bin"], "something was left behind")
    again = run(film, store, "--resume")
    check(again.returncode == 0 and "sent 3 " in again.stdout, "a second upload")

    one_sentence(run("missing.bin", store), 3, "missing.bin")
    one_sentence(run(store, store), 3, "store")
    one_sentence(run(film, "nowhere"), 4, "nowhere")
    check(run().returncode == 2, "no usage")
    check(run(film, store, "--part-size", "0").returncode == 2, "a part size of 0")
    check(run(film, store, "--part-size", "5X").returncode == 2, "a part size of 5X")
    check(run(film, store, "--what").returncode == 2, "an unknown option")


main()
