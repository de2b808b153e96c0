# SPDX-License-Identifier: BSL-1.0
"""Remembers that a slow check of one C++ file passed, until something that it reads changes: the
file, the headers of this project that it reaches, the command, or the checking script itself.
Only a pass (None) is remembered; a failure is checked anew."""
import hashlib
import json
import os
import pathlib
import re
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Memo:
    def __init__(self, name, command, *scripts):
        folder = pathlib.Path(os.environ.get("PENSTOCK_BUILD_ROOT", ROOT / "build")) / "memo"
        folder.mkdir(parents=True, exist_ok=True)
        base = digest("\0".join([*command, *self.version(command)]).encode())
        for script in (pathlib.Path(__file__), *scripts):
            base += digest(script.read_bytes())
        self.base = base
        self.path = folder / f"{name}-{digest(base.encode())[:12]}.json"
        self.lock = threading.Lock()
        self.contents = {}
        try:
            self.known = json.loads(self.path.read_text())
        except (OSError, ValueError):
            self.known = {}

    @staticmethod
    def version(command):
        """The compiler's identity: path, size and time of its binary."""
        for folder in os.environ["PATH"].split(":"):
            program = pathlib.Path(folder) / command[0]
            if program.exists():
                status = program.stat()
                return [str(program.resolve()), str(status.st_size), str(status.st_mtime_ns)]
        return []

    def reached(self, path, seen):
        """Digests of the file and of all headers of ours that it includes."""
        if path in seen:
            return
        if path not in self.contents:
            data = path.read_bytes()
            ours = []
            for name in INCLUDE.findall(data.decode(errors="replace")):
                for folder in (ROOT / "include", ROOT / "tests", path.parent):
                    if (folder / name).is_file():
                        ours.append((folder / name).resolve())
                        break
            self.contents[path] = (digest(data), ours)
        value, ours = self.contents[path]
        seen[path] = value
        for header in ours:
            self.reached(header, seen)

    def key(self, path):
        seen = {}
        with self.lock:
            self.reached(pathlib.Path(path).resolve(), seen)
        lines = sorted(f"{name.relative_to(ROOT) if name.is_relative_to(ROOT) else name} {value}"
                       for name, value in seen.items())
        return digest("\n".join(lines).encode())

    def get(self, path, check):
        name = str(path)
        key = self.key(path)
        if self.known.get(name) == key:
            return None
        problem = check()
        with self.lock:
            if problem is None:
                self.known[name] = key
            else:
                self.known.pop(name, None)
        return problem

    def save(self):
        with self.lock:
            temporary = self.path.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(self.known))
            temporary.replace(self.path)
