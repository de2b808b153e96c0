#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A user finds the installed library: with pkg-config, with CMake, as a meson subproject."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from common import ROOT, Finding, Report

PROGRAM = """\
#include <penstock/base/result.hpp>

int main() {
  penstock::result<int> value = 3;
  return value.value() - 3;
}
"""
CMAKE = """\
cmake_minimum_required(VERSION 3.20)
project(user CXX)
find_package(penstock 0.1 CONFIG REQUIRED)
add_executable(user user.cpp)
target_link_libraries(user PRIVATE penstock::penstock)
"""
MESON = """\
project('user', 'cpp', default_options: ['cpp_std=c++20'])
penstock_dep = dependency('penstock')
executable('user', 'user.cpp', dependencies: penstock_dep)
"""


class Failure(Exception):
    pass


def run(*command, cwd=None, **environment):
    ran = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True,
                         env={**os.environ, **environment})
    if ran.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\n{(ran.stdout + ran.stderr)[-2000:]}")
    return ran.stdout


def install(folder):
    """Installs into folder/prefix; no compiler runs."""
    prefix = folder / "prefix"
    run("meson", "setup", folder / "build", ROOT, f"--prefix={prefix}", "-Dtests=false",
        "-Dexamples=false")
    run("meson", "install", "-C", folder / "build", "--quiet")
    return prefix


def with_pkg_config(folder, prefix):
    (folder / "user.cpp").write_text(PROGRAM)
    flags = run("pkg-config", "--cflags", "--libs", "penstock",
                PKG_CONFIG_PATH=str(prefix / "share" / "pkgconfig"),
                PKG_CONFIG_ALLOW_SYSTEM_CFLAGS="")
    # A prefix with blanks comes out escaped: the shell understands it.
    run("sh", "-c", f"g++ -std=c++20 -Wall -Wextra -Werror user.cpp -o user {flags}", cwd=folder)
    run(folder / "user")


def with_cmake(folder, prefix):
    (folder / "user.cpp").write_text(PROGRAM)
    (folder / "CMakeLists.txt").write_text(CMAKE)
    run("cmake", "-S", folder, "-B", folder / "out", f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_CXX_COMPILER=g++", CC="gcc")
    run("cmake", "--build", folder / "out")
    run(folder / "out" / "user")


def as_subproject(folder, prefix):
    (folder / "subprojects").mkdir()
    shutil.copytree(ROOT, folder / "subprojects" / "penstock", symlinks=True,
                    ignore=shutil.ignore_patterns(".git", "build", "build-*", "__pycache__"))
    (folder / "user.cpp").write_text(PROGRAM)
    (folder / "meson.build").write_text(MESON)
    run("meson", "setup", folder / "out", folder, "--wrap-mode=default",
        "--force-fallback-for=penstock")
    run("ninja", "-C", folder / "out")
    run(folder / "out" / "user")


def main():
    report = Report()
    with tempfile.TemporaryDirectory(prefix="penstock-install-") as name:
        top = pathlib.Path(name)
        try:
            prefix = install(top)
        except Failure as problem:
            report.case("meson install", [Finding("meson.build", 0, "install", str(problem))])
            report.finish()
        for number, (title, needs, test) in enumerate([
                ("a user with pkg-config", "pkg-config", with_pkg_config),
                ("a user with CMake", "cmake", with_cmake),
                ("a user with meson", "meson", as_subproject)]):
            if shutil.which(needs) is None:
                report.skip(title, f"no {needs}")
                continue
            folder = top / str(number)
            folder.mkdir()
            try:
                test(folder, prefix)
                report.case(title, [])
            except Failure as problem:
                report.case(title, [Finding("packaging/meson.build", 0, "install", str(problem))])
    report.finish()


main()
