#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What the head comment of echo_server.cpp promises, tried: echo_server.py PROGRAM, in an empty folder. On both
drivers, with one and with two loops, and stopped while connections are busy."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
DEADLINE = 30  # seconds


def check(good, what):
    if not good:
        sys.exit(f"echo_server: {what}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def connect(port):
    end = time.monotonic() + DEADLINE
    while True:
        try:
            s = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
            return s
        except ConnectionRefusedError:
            check(time.monotonic() < end, "it does not listen")


def echo(s, message):
    got = b""
    sender = threading.Thread(target=s.sendall, args=(message,))
    sender.start()
    while len(got) < len(message):
        piece = s.recv(1 << 16)
        check(piece, "a connection ended early")
        got += piece
    sender.join()
    check(got == message, "the echo differs")


def start(port, threads, driver):
    return subprocess.Popen([PROGRAM, str(port), str(threads)], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env={**os.environ, "PENSTOCK_DRIVER": driver})


def hammer(port, busy, ended):
    """Echoes until the server ends the connection."""
    s = connect(port)
    try:
        while True:
            s.sendall(b"y" * 1000)
            got = 0
            while got < 1000:
                piece = s.recv(1000 - got)
                if not piece:
                    return
                got += len(piece)
            busy.set()
    except (ConnectionResetError, BrokenPipeError):
        pass
    finally:
        s.close()
        ended.append(True)


def serve(threads, driver, number):
    port = free_port()
    server = start(port, threads, driver)
    clients = [connect(port) for _ in range(8)]
    for i, s in enumerate(clients):
        echo(s, b"hello %d" % i)
    echo(clients[0], os.urandom(3_000_000))
    for s in clients:
        s.shutdown(socket.SHUT_WR)
        check(s.recv(1) == b"", "no end after the end")
        s.close()
    reset = connect(port)  # with data unread: it is reset
    reset.sendall(b"z" * 100_000)
    reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    reset.close()

    busy, ended, threads_ = [threading.Event() for _ in range(4)], [], []
    for event in busy:
        threads_.append(threading.Thread(target=hammer, args=(port, event, ended)))
        threads_[-1].start()
    for event in busy:
        check(event.wait(DEADLINE), "a busy connection is not served")
    began = time.monotonic()
    server.send_signal(number)
    out, err = server.communicate(timeout=DEADLINE)
    for t in threads_:
        t.join(DEADLINE)
    what = f"{driver}, {threads} threads, {signal.Signals(number).name}"
    check(server.returncode == 0, f"{what}: exit status {server.returncode}: {err[-300:]}")
    found = re.fullmatch(r"served (\d+) connections, driver (\w+)\n", out)
    check(found, f"{what}: printed {out!r}")
    check(found[1] in ("12", "13"), f"{what}: served {found[1]}")  # the reset one may never be seen
    check(found[2] == driver, f"{what}: driver {found[2]}")
    check(len(ended) == 4, f"{what}: connections stayed")
    check(time.monotonic() - began < DEADLINE, f"{what}: slow to stop")


def has_uring():
    port = free_port()
    server = start(port, 1, "uring")
    end = time.monotonic() + DEADLINE
    while server.poll() is None:
        check(time.monotonic() < end, "it neither listens nor ends")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            continue
        server.send_signal(signal.SIGTERM)
        server.communicate()
        return True
    return False


def main():
    drivers = ["reactor"]
    if has_uring():
        drivers.append("uring")
    else:
        print("[skip] echo_server on uring: no io_uring on this machine")
    for driver in drivers:
        for threads in (1, 2):
            serve(threads, driver, signal.SIGTERM)
        serve(1, driver, signal.SIGINT)
    port = free_port()
    with socket.socket() as s:
        s.bind(("127.0.0.1", port))
        s.listen()
        failed = subprocess.run([PROGRAM, str(port)], capture_output=True, text=True, timeout=DEADLINE)
    check(failed.returncode == 1, f"a port in use: exit status {failed.returncode}")
    check(failed.stderr == f"echo_server: listen '127.0.0.1:{port}': Address already in use\n",
          f"a port in use: {failed.stderr!r}")


main()
