// tests/io/file_system_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/file_system.hpp>

#include <penstock/core.hpp>
#include <support/each_driver.hpp>
#include <support/temporary_folder.hpp>

#include <filesystem>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using support::temporary_folder;

static_assert(std::is_same_v<await_result_t<detail::path_awaiter>, result<>>);
static_assert(std::is_same_v<await_result_t<detail::stat_path_awaiter>, result<file_status>>);

TEST_CASE("a rename replaces, or refuses to") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      const auto a = folder.put("a", "new");
      const auto b = folder.put("b", "old");
      const auto refused = co_await rename_file(a, b, rename_mode::no_replace);
      CHECK(refused.error() == std::errc::file_exists);
      CHECK(refused.error().message() == "rename '" + a + "' to '" + b + "': File exists");
      CHECK(folder.get("b") == "old");
      co_await ok(rename_file(a, b));
      CHECK(folder.get("b") == "new");
      CHECK_FALSE(std::filesystem::exists(a));
      co_await ok(rename_file(b, a, rename_mode::no_replace));
      const auto gone = co_await rename_file(b, a);
      CHECK(gone.error() == std::errc::no_such_file_or_directory);
      co_return co_await sync_directory(folder.path());
    };
    const auto outcome = rt.run(body());
    CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
  });
}

TEST_CASE("directories and names come and go") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      const auto sub = folder / "sub";
      co_await ok(make_directory(sub, 0700));
      const auto again = co_await make_directory(sub);
      CHECK(again.error().message() == "make directory '" + sub + "': File exists");
      folder.put("sub/x", "x");
      const auto full = co_await remove_directory(sub);
      CHECK(full.error() == std::errc::directory_not_empty);
      const auto status = co_await ok(stat_file(sub));
      CHECK(status.kind == file_kind::directory);
      CHECK(status.mode == 0700);
      auto removed = co_await remove_file(sub);
      CHECK_FALSE(removed);
      co_await ok(remove_file(sub + "/x"));
      co_await ok(remove_directory(sub));
      removed = co_await remove_file(sub + "/x");
      CHECK(removed.error().message() == "remove '" + sub + "/x': No such file or directory");
      const auto none = co_await stat_file(sub);
      CHECK(none.error().message() == "stat '" + sub + "': No such file or directory");
      co_return result<>{};
    };
    const auto outcome = rt.run(body());
    CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
  });
}

// Argument-dependent lookup finds std::filesystem too: no name of it may take the call.
TEST_CASE("unqualified calls with a std::filesystem::path are the library's") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const std::filesystem::path sub = std::filesystem::path(folder.path()) / "sub";
    const std::filesystem::path a = sub / "a", b = sub / "b";
    const auto body = [&]() -> task<result<>> {
      co_await ok(make_directory(sub));
      folder.put("sub/a", "x");
      co_await ok(rename_file(a, b));
      co_await ok(sync_directory(sub));
      const auto status = co_await ok(stat_file(b));
      CHECK(status.size == 1);
      co_await ok(remove_file(b));
      co_await ok(remove_directory(sub));
      co_return result<>{};
    };
    const auto outcome = rt.run(body());
    CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
  });
}

TEST_CASE("the status tells whether a file is still the same") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      const auto path = folder.put("f", "text");
      const auto before = co_await ok(stat_file(path));
      auto now = co_await ok(stat_file(path));
      CHECK(before == now);
      CHECK(before.size == 4);
      file f = co_await ok(file::open(path, open_mode::read));
      now = co_await ok(f.stat());
      CHECK(before == now);
      folder.put("g", "text");
      now = co_await ok(stat_file(folder / "g"));
      CHECK(before.inode != now.inode);
      CHECK(before.device == now.device);
      std::filesystem::create_symlink(path, folder / "link");
      now = co_await ok(stat_file(folder / "link"));
      CHECK(now.inode == before.inode);
      co_return result<>{};
    };
    CHECK(rt.run(body()));
  });
}

TEST_CASE("sync_directory wants a directory") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto path = folder.put("f", "");
    const auto outcome = rt.run(sync_directory(path));
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().message() == "open '" + path + "': Not a directory");
  });
}
