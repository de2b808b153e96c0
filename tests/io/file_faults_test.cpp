// tests/io/file_faults_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/file.hpp>

#include <penstock/base/log.hpp>
#include <penstock/core.hpp>
#include <penstock/io/file_system.hpp>
#include <support/child.hpp>
#include <support/each_driver.hpp>
#include <support/forbid.hpp>
#include <support/skip.hpp>
#include <support/temporary_folder.hpp>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <cstdio>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using support::temporary_folder;

namespace {
// Writes blocks until that fails, and says how on standard error.
task<result<>> fill(std::string path, std::size_t block) {
  file f = co_await ok(file::open(path, open_mode::write | open_mode::create));
  const std::vector<std::byte> bytes(block, std::byte{'x'});
  for (int i = 0; i < 10'000; ++i) co_await ok(f.write_all(bytes));
  co_return result<>{};
}
int say(const result<>& outcome) {
  std::fprintf(stderr, "%s\n", outcome ? "done" : outcome.error().message().c_str());
  return 0;
}
// In a mount namespace of its own, with a tmpfs of `options` at `where`.
bool mount_tmpfs(const std::string& where, const char* options) {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("penstock", where.c_str(), "tmpfs", 0, options) == 0;
}
constexpr driver_kind kinds[] = {driver_kind::automatic, driver_kind::reactor};
}  // namespace

TEST_CASE("a full file system, also within a write, is one sentence") {
  for (const auto kind : kinds) {
    const temporary_folder folder;
    const auto child = support::in_child([&] {
      if (!mount_tmpfs(folder.path(), "size=256k")) return 77;
      runtime rt({.driver = kind});
      return say(rt.run(fill(folder / "f", 100'000)));
    });
    if (child.status == 77) return support::skip("mounting a tmpfs is not permitted");
    CHECK(child.status == 0);
    CHECK(child.output == "write '" + (folder / "f") + "': No space left on device\n");
  }
}

TEST_CASE("a read-only file system refuses what changes it") {
  for (const auto kind : kinds) {
    const temporary_folder folder;
    const auto child = support::in_child([&] {
      if (!mount_tmpfs(folder.path(), "size=256k")) return 77;
      folder.put("f", "text");
      if (::mount(nullptr, folder.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
        return 77;
      runtime rt({.driver = kind});
      const auto body = [&]() -> task<result<>> {
        file f = co_await ok(file::open(folder / "f", open_mode::read));
        const auto a = co_await file::open(folder / "f", open_mode::write);
        const auto b = co_await rename_file(folder / "f", folder / "g");
        const auto c = co_await make_directory(folder / "sub");
        const auto d = co_await remove_file(folder / "f");
        for (const error& e : {a.error(), b.error(), c.error(), d.error()})
          if (e != std::errc::read_only_file_system) co_return fail(e);
        co_return result<>{};
      };
      return say(rt.run(body()));
    });
    if (child.status == 77) return support::skip("mounting a tmpfs is not permitted");
    CHECK(child.output == "done\n");
  }
}

TEST_CASE("a write across the limit of a file's size is done up to it, then fails") {
  for (const auto kind : kinds) {
    const temporary_folder folder;
    const auto child = support::in_child([&] {
      std::signal(SIGXFSZ, SIG_IGN);
      rlimit limit{150'000, 150'000};
      if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 77;
      runtime rt({.driver = kind});
      return say(rt.run(fill(folder / "f", 100'000)));
    });
    CHECK(child.output == "write '" + (folder / "f") + "': File too large\n");
    CHECK(folder.get("f").size() == 150'000);
  }
}

TEST_CASE("too many open files is an error of the open") {
  if (PENSTOCK_ASAN) return support::skip("the sanitizer needs descriptors itself");
  for (const auto kind : kinds) {
    const auto child = support::in_child([&] {
      runtime rt({.driver = kind});
      const int next = ::dup(0);
      rlimit limit{static_cast<rlim_t>(next), static_cast<rlim_t>(next)};
      ::setrlimit(RLIMIT_NOFILE, &limit);
      const auto body = []() -> task<result<>> {
        file f = co_await ok(file::open("/dev/null", open_mode::read));
        co_return result<>{};
      };
      return say(rt.run(body()));
    });
    CHECK(child.output == "open '/dev/null': Too many open files\n");
  }
}

TEST_CASE("a file that may not be read is an error of the open") {
  const temporary_folder folder;
  const auto path = folder.put("secret", "text");
  REQUIRE(::chmod(path.c_str(), 0) == 0);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  for (const auto kind : kinds) {
    const auto child = support::in_child([&] {
      if (::geteuid() == 0 && ::setuid(65'534) != 0) return 77;
      runtime rt({.driver = kind});
      const auto body = [&]() -> task<result<>> {
        file f = co_await ok(file::open(path, open_mode::read));
        co_return result<>{};
      };
      return say(rt.run(body()));
    });
    CHECK(child.output == "open '" + path + "': Permission denied\n");
  }
}

TEST_CASE("where io_uring is forbidden files work all the same") {
  const temporary_folder folder;
  const auto child = support::in_child([&] {
    if (!support::forbid(SYS_io_uring_setup, ENOSYS)) return 77;
    set_log_level(log_level::off);
    runtime rt({.threads = 2});
    const auto body = [&]() -> task<result<>> {
      file f = co_await ok(file::open(folder / "f", open_mode::create | open_mode::write));
      const std::vector<std::byte> bytes(1000, std::byte{'x'});
      co_await ok(f.write_all(bytes));
      co_await ok(f.fsync());
      co_return co_await f.close();
    };
    return rt.driver_name() == "reactor" ? say(rt.run(body())) : 1;
  });
  CHECK(child.status == 0);
  CHECK(child.output == "done\n");
  CHECK(folder.get("f").size() == 1000);
}
