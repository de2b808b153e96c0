#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The demonstration that scripts/demo runs: a real file goes up in parts, is killed and interrupted half
way, resumed, verified, and timed beside a thread pool doing the same job.

demo.py UPLOAD THREADS FOLDER [--size MIB]
    UPLOAD    the program examples/chunked_upload
    THREADS   the program benchmarks/baseline/upload_threads
    FOLDER    where to work; its contents are removed at the end
"""
import argparse
import hashlib
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import tty

DEADLINE = 300  # seconds for one program; a wait for an event never takes longer
checks = {"passed": 0, "failed": 0, "skipped": 0}


def check(what, good, detail=""):
    checks["passed" if good else "failed"] += 1
    print(f"  {'ok    ' if good else 'FAILED'} {what}{': ' + detail if detail and not good else ''}",
          flush=True)
    return good


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def make_file(path, mib):
    """Incompressible bytes, quick to make: a random MiB, changed by its number."""
    base = bytearray(os.urandom(1 << 20))
    with open(path, "wb") as f:
        for i in range(mib):
            base[0:8] = i.to_bytes(8, "little")
            f.write(base)
    return path


class Run:
    """A program with its time, CPU time and peak memory, and its output as it comes. It is shown when
    the run is watched: on a terminal as it looks on one, elsewhere the lines."""

    def __init__(self, command, watched=False):
        self.output = ""
        self.watched = watched
        self.started = time.monotonic()
        if watched and sys.stdout.isatty():
            self.fd, theirs = pty.openpty()
            tty.setraw(theirs)  # our own terminal makes lines of it
        else:
            self.fd, theirs = os.pipe()
        self.process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL)
        os.close(theirs)

    def read(self, until=None):
        """Reads on until `until(output)` is true or the output ends."""
        while until is None or not until(self.output):
            left = self.started + DEADLINE - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                self.process.kill()
                raise SystemExit(f"no progress within {DEADLINE} s: {self.output[-300:]}")
            try:
                data = os.read(self.fd, 65536)
            except OSError:  # a terminal whose other end is closed
                data = b""
            if not data:
                return False
            text = data.decode(errors="replace")
            self.output += text
            if self.watched:
                sys.stdout.write(text)
                sys.stdout.flush()
        return True

    def finish(self):
        self.read()
        os.close(self.fd)
        if self.watched and self.output and not self.output.endswith("\n"):
            print(flush=True)  # it was ended in the middle of a line
        _, status, usage = os.wait4(self.process.pid, 0)
        self.seconds = time.monotonic() - self.started
        self.process.returncode = self.status = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss_mib = usage.ru_maxrss / 1024
        return self

    def percent(self):
        found = re.findall(r"(\d+)\s*%", self.output)
        return int(found[-1]) if found else 0

    def number(self, name):
        found = re.findall(rf"{name}[ =](\d+)", self.output)
        return int(found[-1]) if found else None


def interrupted(upload, source, store, how, total_parts):
    """Uploads, sends `how` half way, resumes; the object must be absent between and whole at the end."""
    name = signal.Signals(how).name
    target = store / source.name
    first = Run([upload, source, store], watched=True)
    reached = first.read(lambda _: first.percent() >= 50)
    first.process.send_signal(how)
    first.finish()
    check(f"{name} at {first.percent()} %: the upload had not ended", reached and first.status != 0,
          first.output[-200:])
    check(f"{name}: no object is visible", not target.exists())
    second = Run([upload, source, store, "--resume"], watched=True).finish()
    sent = second.number("sent")
    check(f"{name}: the second run ends well", second.status == 0, second.output[-300:])
    check(f"{name}: it sent {sent} of {total_parts} parts",
          sent is not None and total_parts is not None and 0 < sent < total_parts)
    check(f"{name}: SHA-256 equals the source's", target.exists() and sha256(target) == source_digest)
    target.unlink(missing_ok=True)


def main():
    # In the background of a shell without job control SIGINT is ignored, by children too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser()
    parser.add_argument("upload", type=pathlib.Path)
    parser.add_argument("threads", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=1024, help="MiB")
    options = parser.parse_args()
    shutil.rmtree(options.folder, ignore_errors=True)
    store = options.folder / "store"
    store.mkdir(parents=True)
    try:
        run(options, store)
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)
    print(f"{checks['passed']} passed, {checks['failed']} failed, {checks['skipped']} skipped")
    return 1 if checks["failed"] else 0


def run(options, store):
    global source_digest
    print(f"making a file of {options.size} MiB", flush=True)
    source = make_file(options.folder / "film.bin", options.size)
    source_digest = sha256(source)
    mb = options.size * 1.048576

    print("uploading it", flush=True)
    whole = Run([options.upload, source, store], watched=True).finish()
    parts = whole.number("parts")
    check("the upload ends well", whole.status == 0, whole.output[-300:])
    target = store / source.name
    check("SHA-256 equals the source's", target.exists() and sha256(target) == source_digest)
    target.unlink(missing_ok=True)

    print("killing a second upload half way, and resuming it", flush=True)
    interrupted(options.upload, source, store, signal.SIGKILL, parts)
    print("interrupting a third one, and resuming it", flush=True)
    interrupted(options.upload, source, store, signal.SIGINT, parts)

    print("the same job by a thread pool", flush=True)
    rows = {"penstock": [], "4 threads": []}
    for _ in range(3):  # in turn: the machine changes its speed
        for row, command in (("penstock", [options.upload, source, store]),
                             ("4 threads", [options.threads, source, store / source.name])):
            r = Run(command).finish()
            check(f"{row} ends well", r.status == 0, r.output[-200:])
            rows[row].append(r)
            target.unlink(missing_ok=True)
    print(f"\n{'':12}{'MB/s':>8}{'parts':>8}{'peak RSS':>12}{'CPU s':>8}   (medians of 3)")
    for row, runs in rows.items():
        middle = sorted(runs, key=lambda r: r.seconds)[1]
        count = middle.number("parts")
        print(f"{row:12}{mb / middle.seconds:8.0f}{count if count is not None else '-':>8}"
              f"{middle.rss_mib:8.1f} MiB{middle.cpu:8.2f}")
    print()


if __name__ == "__main__":
    sys.exit(main())
