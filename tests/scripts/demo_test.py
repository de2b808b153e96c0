#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""scripts/demo.py shows an upload while it runs: as a bar on a terminal, else line by line."""
import os
import pathlib
import pty
import select
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEADLINE = 60  # seconds

# Says something, goes on when the fifo is opened, and says what it is connected to.
UPLOAD = """
import sys
terminal = sys.stdout.isatty() and sys.stderr.isatty()
sys.stderr.write("\\r[#    ]  10 %" if terminal else "10 %, 1 of 9 parts\\n")
sys.stderr.flush()
open(sys.argv[1]).read()
sys.stderr.write("\\r[##   ]  20 %" if terminal else "20 %, 2 of 9 parts\\n")
"""
# What scripts/demo.py does with it.
DEMO = f"""
import sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
import demo
run = demo.Run([sys.executable, "-c", {UPLOAD!r}, sys.argv[1]], watched=sys.argv[2] == "watched").finish()
print("percent", run.percent(), flush=True)
"""


def check(good, what):
    if not good:
        sys.exit(f"demo: {what}")


def read(fd, until=None):
    """What comes until `until` is in it, or the end."""
    seen = b""
    while until is None or until not in seen:
        check(select.select([fd], [], [], DEADLINE)[0], f"{until!r} does not come behind {seen!r}")
        try:
            data = os.read(fd, 4096)
        except OSError:  # the other end of a terminal is closed
            data = b""
        if not data:
            break
        seen += data
    return seen


def shown(ends, watched, first):
    """What is shown: `first` before the upload has ended."""
    ours, theirs = ends
    fifo = pathlib.Path("fifo")
    os.mkfifo(fifo)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    p = subprocess.Popen([sys.executable, "-c", DEMO, fifo, watched], stdout=theirs, env=environment)
    os.close(theirs)
    text = read(ours, first) if first else b""
    fifo.open("w").close()
    text += read(ours)
    os.close(ours)
    fifo.unlink()
    check(p.wait(DEADLINE) == 0, f"status {p.returncode}: {text!r}")
    return text


def main():
    lines = b"10 %, 1 of 9 parts\n20 %, 2 of 9 parts\n"
    text = shown(os.pipe(), "watched", b"10 %")
    check(text == lines + b"percent 20\n", f"not line by line: {text!r}")
    text = shown(pty.openpty(), "watched", b"10 %")
    bars = b"\r[#    ]  10 %\r[##   ]  20 %\r\n"
    check(text == bars + b"percent 20\r\n", f"not a bar on a terminal: {text!r}")
    text = shown(os.pipe(), "timed", None)
    check(text == b"percent 20\n", f"a run that is only timed is shown: {text!r}")


main()
