# SPDX-License-Identifier: BSL-1.0
"""Which folder of include/penstock may include which, and where third-party headers live."""
import re

from common import INCLUDE, Finding, headers, line_of, relative

# A folder includes only folders before it.
ORDER = ["base", "core", "sync", "resilience", "pool", "batch", "stream", "cache", "queue", "upload",
         "runtime", "io", "asio", "http", "adapters", "observe", "test"]
# Stricter than the order.
ONLY = {"runtime": {"base", "core", "sync"},
        "io": {"base", "core", "sync", "pool", "stream", "runtime"}}
# <penstock/penstock.hpp> is the umbrella of these.
PENSTOCK = ORDER[:ORDER.index("upload") + 1]

# <penstock/src.hpp> includes what is compiled once with PENSTOCK_SEPARATE: other headers do so only
# without that macro, at their end.
SOURCE = "src.hpp"
ONCE = re.compile(r"^(?:PENSTOCK_\w+ )*PENSTOCK_ONCE\b", re.M)
UNLESS_SEPARATE = re.compile(r"^#ifndef PENSTOCK_SEPARATE\n(.*?)^#endif", re.M | re.S)

# Third-party headers: pattern, the only places, how the message calls it.
HOMES = [
    (r"liburing(\.h|/.*)", r"runtime/driver/detail/liburing\.hpp", "runtime/driver/detail/liburing.hpp"),
    (r"linux/io_uring\.h", r"runtime/driver/detail/liburing\.hpp", "runtime/driver/detail/liburing.hpp"),
    (r"asio(\.hpp|/.*)|boost/asio.*", r"asio/.*|io/detail/resolver\w*\.hpp",
     "asio/ (or the resolver)"),
    (r"(concurrentqueue/)?(moodycamel/)?(blockingconcurrentqueue|concurrentqueue|"
     r"lightweightsemaphore)\.h", r"runtime/.*", "runtime/"),
    (r"tl/expected\.hpp", r"base/result\.hpp", "base/result.hpp"),
    (r"fmt/.*", r"(?!core/|core\.hpp).*", "base/format.hpp and what formats, never core/"),
    (r"hiredis/.*", r"adapters/redis/.*", "adapters/redis/"),
    (r"libpq-fe\.h|postgresql/.*", r"adapters/postgres/.*", "adapters/postgres/"),
    (r"sqlite3\.h", r"adapters/sqlite/.*", "adapters/sqlite/"),
    (r"openssl/.*", r"adapters/openssl/.*|adapters/s3/.*", "adapters/openssl/ or adapters/s3/"),
    (r"nghttp2/.*", r"http/.*", "http/"),
    (r"zlib\.h", r"adapters/zlib/.*", "adapters/zlib/"),
    (r"zstd(_errors)?\.h", r"adapters/zstd/.*", "adapters/zstd/"),
    (r"brotli/.*", r"adapters/brotli/.*", "adapters/brotli/"),
]
# Of the language and of the operating system: everywhere.
SYSTEM = re.compile(r"[a-z_]+|(sys|linux|netinet|arpa|net|asm)/\w+\.h|"
                    r"(unistd|fcntl|signal|errno|sched|pthread|poll|netdb|dirent|limits|cxxabi|"
                    r"execinfo|immintrin|x86intrin|nmmintrin|arm_acle|endian|byteswap|time|"
                    r"semaphore|spawn|termios|dlfcn|malloc|cpuid|ucontext)\.h|"
                    r"(sanitizer|bits)/\w+\.h")


def module_of(name):
    """The folder that a header belongs to: "core" for core.hpp, core/x.hpp and core/detail/x.hpp."""
    first = name.split("/")[0]
    return first.removesuffix(".hpp")


def private_part(name):
    """The folder whose detail/ the header is in, or None."""
    parts = name.split("/")
    if "detail" not in parts[:-1]:
        return None
    # Each adapter is a folder of its own.
    return "/".join(parts[:2]) if parts[0] == "adapters" else parts[0]


def owner(name):
    parts = name.removesuffix(".hpp").split("/")
    return "/".join(parts[:2]) if parts[0] == "adapters" else parts[0]


def may_include(source, target):
    """Nothing, or why a header of module `source` may not include one of module `target`."""
    if source == target:
        return None
    if source == "penstock":
        return None if target in PENSTOCK else f"penstock.hpp is the umbrella of {', '.join(PENSTOCK)}"
    if target == "penstock":
        return "no header includes the umbrella of everything"
    for module in (source, target):
        if module not in ORDER:
            return f"'{module}' is not a folder of the design"
    if ORDER.index(target) > ORDER.index(source):
        return f"{source} is above {target} in the order of the folders"
    if source in ONLY and target not in ONLY[source]:
        return f"{source} includes only {', '.join(m for m in ORDER if m in ONLY[source])}"
    return None


def check(root):
    base = root / "include" / "penstock"
    for path in headers(root):
        name = relative(base, path)
        if name == SOURCE:
            continue
        text = path.read_text()
        for found in INCLUDE.finditer(text):
            quote, included = found[1], found[2]
            place = (relative(root, path), line_of(text, found.start(1)))
            if quote == '"' or included.startswith("."):
                yield Finding(*place, "relative", f'include <penstock/...>, not "{included}"')
            elif included.startswith("penstock/"):
                target = included.removeprefix("penstock/")
                problem = may_include(module_of(name), module_of(target))
                if problem:
                    yield Finding(*place, "direction", problem)
                private = private_part(target)
                if private and private != owner(name):
                    yield Finding(*place, "detail", f"{private}/detail is private to {private}")
            else:
                yield from check_foreign(place, name, included)


def check_foreign(place, name, included):
    for pattern, homes, words in HOMES:
        if re.fullmatch(pattern, included):
            if not re.fullmatch(homes, name):
                yield Finding(*place, "third-party", f"<{included}> is included only in {words}")
            return
    if not SYSTEM.fullmatch(included):
        yield Finding(*place, "third-party", f"<{included}> has no home in the design")


def reached(base, name, seen=None):
    """All headers of ours that a header reaches, and the foreign ones: {name: first includer}."""
    seen = {} if seen is None else seen
    path = base / name
    if not path.exists():
        return seen
    for _, included in INCLUDE.findall(path.read_text()):
        key = included.removeprefix("penstock/") if included.startswith("penstock/") else f"<{included}>"
        if key not in seen:
            seen[key] = name
            reached(base, key, seen)
    return seen


# What an umbrella must not even reach.
HEAVY = {"core.hpp": r"<(liburing|asio|fmt/|concurrentqueue|blockingconcurrentqueue|boost/)",
         "penstock.hpp": r"<(liburing|asio|boost/|hiredis|libpq|sqlite3|openssl|nghttp2|zlib\.h|"
                         r"zstd|brotli)"}


def check_cost(root):
    base = root / "include" / "penstock"
    for umbrella, pattern in HEAVY.items():
        for key, includer in reached(base, umbrella).items():
            if re.match(pattern, key):
                yield Finding(f"include/penstock/{umbrella}", 0, "cost",
                              f"reaches {key} through {includer}")


def check_once(root):
    """What is compiled once: all of it is in src.hpp, and reached by no other unit."""
    base = root / "include" / "penstock"
    once = {relative(base, path) for path in headers(root) if ONCE.search(path.read_text())}
    source = base / SOURCE
    text = source.read_text() if source.exists() else ""
    direct = {name.removeprefix("penstock/"): line_of(text, found.start(1))
              for found in INCLUDE.finditer(text) for name in [found[2]]}
    for name in sorted(once - direct.keys()):
        yield Finding(f"include/penstock/{name}", 0, "once", f"is not included by <penstock/{SOURCE}>")
    for name in sorted(direct.keys() - once):
        yield Finding(f"include/penstock/{SOURCE}", direct[name], "once",
                      f"<penstock/{name}> has nothing that is compiled once")
    for path in headers(root):
        name = relative(base, path)
        if name == SOURCE or name in once:
            continue
        text = path.read_text()
        hidden = [found.span() for found in UNLESS_SEPARATE.finditer(text)]
        for found in INCLUDE.finditer(text):
            target = found[2].removeprefix("penstock/")
            if target in once and not any(a <= found.start(1) < b for a, b in hidden):
                yield Finding(relative(root, path), line_of(text, found.start(1)), "once",
                              f"<{found[2]}> is compiled once: only unless PENSTOCK_SEPARATE")


def check_umbrellas(root, allow=()):
    base = root / "include" / "penstock"
    for folder in sorted(p for p in base.iterdir() if p.is_dir()) if base.exists() else []:
        if folder.name == "adapters":
            for adapter in sorted(p for p in folder.iterdir() if p.is_dir()):
                yield from umbrella_of(root, adapter, allow)
        else:
            yield from umbrella_of(root, folder, allow)
    if (base / "penstock.hpp").exists():
        direct = {name for _, name in INCLUDE.findall((base / "penstock.hpp").read_text())}
        for module in PENSTOCK:
            if (base / f"{module}.hpp").exists() and f"penstock/{module}.hpp" not in direct:
                yield Finding("include/penstock/penstock.hpp", 0, "umbrella",
                              f"does not include <penstock/{module}.hpp>")


def umbrella_of(root, folder, allow):
    base = root / "include" / "penstock"
    umbrella = folder.with_suffix(".hpp")
    place = (relative(root, umbrella), 0, "umbrella")
    public = [p for p in sorted(folder.rglob("*.hpp")) if "detail" not in p.relative_to(base).parts]
    if not public:
        return
    if not umbrella.exists():
        yield Finding(*place, f"is missing: the umbrella of {relative(base, folder)}/")
        return
    direct = [name for _, name in INCLUDE.findall(umbrella.read_text())]
    everything = reached(base, relative(base, umbrella))
    for path in public:
        name = relative(base, path)
        if name in allow:
            continue
        if path.parent == folder and f"penstock/{name}" not in direct:
            yield Finding(*place, f"does not include <penstock/{name}>")
        elif name not in everything:  # of a folder inside: reached is enough
            yield Finding(*place, f"does not reach <penstock/{name}>")
    inside = f"penstock/{relative(base, folder)}/"
    for name in direct:
        if not name.startswith(inside):
            yield Finding(*place, f"includes <{name}>, which is not of its folder")


def check_basenames(root):
    base = root / "include" / "penstock"
    seen = {}
    for path in headers(root):
        name = relative(base, path)
        is_umbrella = path.with_suffix("").is_dir() or name == "penstock.hpp"
        if is_umbrella:
            continue
        if path.name in seen:
            yield Finding(relative(root, path), 0, "basename",
                          f"{seen[path.name]} has the same name")
        seen.setdefault(path.name, name)
