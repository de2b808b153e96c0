#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the head comment of guarded_calls.cpp promises, tried: guarded_calls.py PROGRAM."""
import re
import subprocess
import sys


def check(good, what):
    if not good:
        sys.exit(f"guarded_calls: {what}")


done = subprocess.run([sys.argv[1]], capture_output=True, text=True, timeout=60)
check(done.returncode == 0, f"exit status {done.returncode}: {done.stderr[-300:]}")
line = re.fullmatch(r"calls (\d+), reached the server while down (\d+), opened (\d+) times, "
                    r"healthy again by (\d+) s\n", done.stdout)
check(line, f"printed {done.stdout!r}")
calls, reached, opened, healthy = map(int, line.groups())
check(calls == 600, f"answered {calls} calls of 600")
check(0 < reached <= 60, f"{reached} calls reached the server that was down")
check(opened >= 2, f"the breaker opened {opened} times")
check(10 <= healthy <= 16, f"healthy again by {healthy} s")
again = subprocess.run([sys.argv[1]], capture_output=True, text=True, timeout=60)
check(again.stdout == done.stdout, "a second run with the same seed printed something else")
