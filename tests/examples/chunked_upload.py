#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the head comment of examples/chunked_upload.cpp promises, tried: chunked_upload.py PROGRAM, in an
empty folder."""
import ctypes
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import termios

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
MIB = 1 << 20
DEADLINE = 60  # seconds
SLOWLY = ("--part-size", "64K", "--concurrency", "1")  # 4096 parts of 256 MiB, one after the other


def check(good, what):
    if not good:
        sys.exit(f"chunked_upload: {what}")


def skip(what, why):
    print(f"[skip] chunked_upload, {what}: {why}", flush=True)


def run(*arguments, status=0, **more):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=DEADLINE, **more)
    check(done.returncode == status, f"{arguments}: status {done.returncode}, not {status}: {done.stderr}")
    return done


def sentence(done, *words):
    """Exactly one line besides progress, which names what it is about."""
    lines = [line for line in done.stderr.splitlines() if line and " %" not in line]
    check(len(lines) == 1, f"not one line: {done.stderr!r}")
    check(all(word in lines[0] for word in words), f"{words} are not in {lines[0]!r}")


def sent(done):
    found = re.search(r": parts (\d+) sent (\d+) bytes (\d+)\n$", done.stdout)
    check(found, f"printed {done.stdout!r}")
    return tuple(map(int, found.groups()))


def started_and_stopped(source, store, how, meddle=lambda: None):
    """Starts an upload, sends it a signal when something is there; its exit status and what it said."""
    # Its pipe has room for two lines of progress: it waits with the third, however slow this is.
    page, room, two_lines = 4096, 60, len("0 %, 0 of 4096 parts\n9 %, 9 of 4096 parts\n")
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, page)
    os.write(theirs, b" " * (page - room))
    events = select.epoll()
    events.register(ours, select.EPOLLIN | select.EPOLLET)
    p = subprocess.Popen([PROGRAM, source, store, *SLOWLY], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    enough = page - room + two_lines
    while int.from_bytes(fcntl.ioctl(ours, termios.FIONREAD, bytes(4)), sys.byteorder) < enough:
        seen = events.poll(DEADLINE)  # each write
        check(seen and not seen[0][1] & select.EPOLLHUP, "it ended before it could be interrupted")
    events.close()
    p.send_signal(how)
    meddle()
    with open(ours, "rb") as rest:
        said = rest.read().decode()
    p.wait(DEADLINE)
    return p.returncode, said


def usage_and_input(store):
    for arguments in ([], ["one"], ["a", "b", "c"], ["a", "b", "--no-such"], ["a", "b", "--part-size"]):
        check("usage:" in run(*arguments, status=2).stderr, "no usage")
    check("part_size" in run("a", store, "--part-size", "0", status=2).stderr, "part size 0")
    for size in ("17179869185G", "18446744073709551616", "1T", "K", "1KK", "-1"):
        check("part_size" in run("a", store, "--part-size", size, status=2).stderr, f"part size {size}")
    check("concurrency" in run("a", store, "--concurrency", "0", status=2).stderr, "concurrency 0")
    sentence(run("missing.bin", store, status=3), "missing.bin", "No such file")
    sentence(run(store, store, status=3), "directory")
    pathlib.Path("small.bin").write_bytes(b"x")
    sentence(run("small.bin", "no-store", status=4), "small.bin", "no-store", "No such file")
    check(sorted(p.name for p in store.iterdir()) == [], "something was left in the store")


def sizes(store):
    for size, part, parts in ((0, "1M", 0), (1, "1M", 1), (4 * MIB, "1M", 4), (4 * MIB + 1, "1024K", 5)):
        source = pathlib.Path("sized.bin")
        source.write_bytes(os.urandom(size))
        check(sent(run(source, store, "--part-size", part)) == (parts, parts, size), f"{size} bytes")
        check((store / source).read_bytes() == source.read_bytes(), f"{size} bytes differ")
        check([p.name for p in store.iterdir()] == [source.name], "more than the object is left")
        (store / source).unlink()


def unreadable():
    # Opening it succeeds, reading it does not.
    source = pathlib.Path("/sys/class/net/lo/speed")
    try:
        source.read_bytes()
        return skip("unreadable", f"{source} can be read")
    except OSError:
        if not source.exists() or source.stat().st_size == 0:
            return skip("unreadable", f"there is no {source}")
    store = pathlib.Path("other")
    store.mkdir()
    sentence(run(source, store, status=3), "speed")


def mounted(store, options, flags):
    """For a child: a file system of its own at the store."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_namespace, recursive_private = 0x20000, 0x44000

    def prepare():
        place = str(store).encode()
        for failed in (libc.unshare(new_namespace), libc.mount(b"none", b"/", None, recursive_private, None),
                       libc.mount(b"tmpfs", place, b"tmpfs", flags, options)):
            if failed:
                raise OSError(ctypes.get_errno(), "mount")
    return prepare


def bad_stores(store):
    source = pathlib.Path("sized.bin")
    source.write_bytes(os.urandom(4 * MIB))
    read_only = 1
    for what, options, flags, word in (("read-only", b"size=8m", read_only, "Read-only file system"),
                                       ("full", b"size=1m", 0, "No space left on device")):
        for more in ([], ["--resume"]):
            prepare = mounted(store, options, flags)
            try:
                done = run(source, store, *more, status=4, preexec_fn=prepare)
            except subprocess.SubprocessError:
                skip(f"{what} store", "mounting a tmpfs is not permitted")
                break
            sentence(done, "sized.bin", "store", word)


def refused_names(store):
    """However the file is spelt."""
    for name in (".hidden", "n" * 241, "n" * 255):
        source = pathlib.Path(name)
        source.write_bytes(b"x")
        for spelling in (name, f"./{name}", source.resolve()):
            for more in ([], ["--resume"]):
                sentence(run(spelling, store, *more, status=7), name)
        source.unlink()
    check(sorted(p.name for p in store.iterdir()) == [], "something was left in the store")
    sentence(run("n" * 256, store, status=3), "too long")


def names(store):
    """No object's name is that of another's journal."""
    for name, text in (("film.journal", b"precious"), ("film", b"a film")):
        pathlib.Path(name).write_bytes(text)
        run(name, store)
    check(sorted(p.name for p in store.iterdir()) == ["film", "film.journal"], "two objects")
    check((store / "film.journal").read_bytes() == b"precious", "an object was taken for a journal")
    for p in store.iterdir():
        p.unlink()
    # Nor is any other file deleted.
    (store / ".film.journal").write_bytes(b"not one")
    for more in ([], ["--resume"]):
        sentence(run("film", store, *more, status=4), ".film.journal", "not a journal")
    check([p.read_bytes() for p in store.iterdir()] == [b"not one"], "a file was replaced")
    (store / ".film.journal").unlink()


def interrupted(store):
    source = pathlib.Path("big.bin")
    with open(source, "wb") as f:
        for _ in range(16):
            f.write(os.urandom(16 * MIB))
    for how in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        status, rest = started_and_stopped(source, store, how)
        if how == signal.SIGKILL:
            check(status == -how, f"{how.name}: status {status}")
        else:
            check(status == 6 and "--resume" in rest, f"{how.name}: status {status}: {rest}")
        check(not (store / source).exists(), f"{how.name}: an object is visible")
        parts, again, _ = sent(run(source, store, "--resume"))
        check(0 < again < parts, f"{how.name}: {again} of {parts} parts were sent again")
        check((store / source).read_bytes() == source.read_bytes(), f"{how.name}: the object differs")
        check([p.name for p in store.iterdir()] == [source.name], "more than the object is left")
        (store / source).unlink()

    # A source that changes during the upload; what is begun then is of no use.
    status, rest = started_and_stopped(source, store, signal.SIGCONT, meddle=lambda: os.utime(source))
    check(status == 5 and "big.bin" in rest and "source changed" in rest, f"changed: status {status}: {rest}")
    check(not (store / source).exists(), "changed: an object is visible")

    # A source that changed is refused; without --resume it starts over.
    started_and_stopped(source, store, signal.SIGINT)
    with open(source, "r+b") as f:
        f.write(b"changed")
    sentence(run(source, store, "--resume", status=5), "big.bin", "source changed")
    parts, again, _ = sent(run(source, store))
    check(again == parts, "it did not start over")
    check((store / source).read_bytes() == source.read_bytes(), "the object differs")


def shown_on_a_terminal(source, store, status, *arguments, meddle=None):
    """What is shown; meddle(process) is called when the bar is."""
    ours, theirs = pty.openpty()
    p = subprocess.Popen([PROGRAM, source, store, *arguments], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 4096):
            shown += data
            if meddle and b"%" in shown:
                meddle(p)
                meddle = None
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    check(p.wait(DEADLINE) == status, f"on a terminal: not status {status}: {shown!r}")
    return shown


def on_a_terminal(store):
    shown = shown_on_a_terminal("small.bin", store, 0)
    check(b"\r[" in shown and shown.count(b"100 %") == 1, f"no bar, or two: {shown!r}")
    # A bar that is not at its end ends its line before anything is said.
    shown = shown_on_a_terminal("big.bin", store, 6, *SLOWLY, meddle=lambda p: p.send_signal(signal.SIGINT))
    check(re.search(rb" %\r\ninterrupted: [^\r\n]*\r\n$", shown), f"glued to the bar: {shown!r}")
    shown = shown_on_a_terminal("big.bin", store, 5, *SLOWLY, meddle=lambda p: os.truncate("big.bin", 5 * MIB))
    check(re.search(rb" %\r\nupload 'big.bin': [^\r\n]*\r\n$", shown), f"glued to the bar: {shown!r}")


def main():
    store = pathlib.Path("store")
    store.mkdir()
    usage_and_input(store)
    sizes(store)
    unreadable()
    bad_stores(store)
    refused_names(store)
    names(store)
    interrupted(store)
    on_a_terminal(store)


main()
