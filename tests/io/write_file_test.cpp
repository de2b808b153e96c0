// tests/io/write_file_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/write_file.hpp>

#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>

#include <io/scripted_driver.hpp>
#include <io/sockets.hpp>
#include <stream/marbles.hpp>
#include <support/each_driver.hpp>
#include <support/open_files.hpp>
#include <support/temporary_folder.hpp>

#include <sys/stat.h>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using sockets::message_of;
using support::on_each_driver;

namespace {
std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}
void put(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}
const std::vector<std::string> three{"one ", "two ", "three"};
}  // namespace

// [write_file]
static task<result<std::uint64_t>> shout(std::string from, std::string to) {
  file in = co_await ok(file::open(std::move(from), open_mode::read));
  const auto upper = [](buffer b) {
    for (auto& c : b.mutable_bytes())
      if (c >= std::byte{'a'} && c <= std::byte{'z'}) c ^= std::byte{0x20};
    return b;
  };
  // The file `to` is there when all is in it, and not before.
  co_return co_await (read_chunks(in, 65536) | map(upper) | write_file(to));
}
// [/write_file]
TEST_CASE("write_file() writes all items, and replaces what is there") {
  on_each_driver([](runtime& rt) {
    const support::temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      put(folder / "in", std::string(200'000, 'a') + "z");
      put(folder / "out", "old");
      const auto written = co_await ok(shout(folder / "in", folder / "out"));
      CHECK(written == 200'001);
      CHECK(content(folder / "out") == std::string(200'000, 'A') + "Z");
      const auto empty =
          co_await ok(from(std::vector<std::string>()) | write_file(folder / "empty"));
      CHECK(empty == 0);
      CHECK(content(folder / "empty").empty());
      CHECK(std::filesystem::exists(folder / "empty"));
      CHECK(files_in(folder.path()) == 3);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}
TEST_CASE("write_file(): permissions, and a file that must not be there") {
  on_each_driver([](runtime& rt) {
    const support::temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      const write_file_options secret{.permissions = 0600, .durable = false};
      co_await ok(from(three) | write_file(folder / "secret", secret));
      struct ::stat s {};
      REQUIRE(::stat((folder / "secret").c_str(), &s) == 0);
      CHECK((s.st_mode & 0777) == 0600);
      const write_file_options once{.exclusive = true};
      const auto again = co_await (from(three) | write_file(folder / "secret", once));
      CHECK(again.error() == std::errc::file_exists);
      CHECK(content(folder / "secret") == "one two three");
      const auto new_one = co_await (from(three) | write_file(folder / "new", once));
      CHECK(new_one);
      CHECK(files_in(folder.path()) == 2);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}
TEST_CASE("write_file(): when the stream fails or throws the old file stays, and no other") {
  // ST2.
  on_each_driver([](runtime& rt) {
    const support::temporary_folder folder;
    const auto descriptors = support::open_files();
    const auto body = [&]() -> task<result<>> {
      put(folder / "out", "old");
      const auto fails = [](const std::string& s) -> result<> {
        if (s == "two ") return fail(errc::corrupt, "stage");
        return {};
      };
      const auto failed = co_await (from(three) | tap(fails) | write_file(folder / "out"));
      CHECK(failed.error() == errc::corrupt);
      const auto throws = [](const std::string& s) {
        if (s == "three") throw std::runtime_error("three");
      };
      bool thrown = false;
      try {
        (void)co_await (from(three) | tap(throws) | write_file(folder / "out"));
      } catch (const std::runtime_error&) {
        thrown = true;
      }
      CHECK(thrown);
      CHECK(content(folder / "out") == "old");
      CHECK(files_in(folder.path()) == 1);
      const auto nowhere = co_await (from(three) | write_file(folder / "no/out"));
      CHECK(nowhere.error() == std::errc::no_such_file_or_directory);
      CHECK(message_of(nowhere).rfind("open '" + folder.path() + "/no/.out.", 0) == 0);
      co_return result<>{};
    };
    sockets::run(rt, body());
    CHECK(support::open_files() == descriptors);
  });
}
TEST_CASE("write_file(): a stop at any time leaves the old file or the new one, and no other") {
  on_each_driver([](runtime& rt) {
    const support::temporary_folder folder;
    const auto descriptors = support::open_files();
    const auto body = [&]() -> task<result<>> {
      put(folder / "out", "old");
      int finished = 0;
      for (int turns = 0; turns < 40; ++turns) {
        const auto wait = [&]() -> task<> {
          for (int i = 0; i < turns; ++i) co_await yield();
        };
        const auto first = co_await when_any(from(three) | write_file(folder / "out"), wait());
        const auto now = content(folder / "out");
        CHECK((now == "old" || now == "one two three"));
        CHECK(files_in(folder.path()) == 1);
        if (first.index == 0) {
          ++finished;
          CHECK(now == "one two three");
          put(folder / "out", "old");
        }
      }
      INFO(finished);
      co_return result<>{};
    };
    sockets::run(rt, body());
    CHECK(support::open_files() == descriptors);
  });
}
TEST_CASE("write_file(): long names, folders and devices") {
  on_each_driver([](runtime& rt) {
    const support::temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      const std::string longest(255, 'n');
      co_await ok(from(three) | write_file(folder / longest));
      CHECK(content(folder / longest) == "one two three");
      std::filesystem::create_directory(folder / "a folder");
      const auto to_folder = co_await (from(three) | write_file(folder / "a folder"));
      CHECK(to_folder.error() == errc::invalid_option);
      std::filesystem::create_symlink("/dev/null", folder / "link");
      const auto to_device = co_await (from(three) | write_file(folder / "link"));
      CHECK(to_device.error() == errc::invalid_option);
      CHECK(files_in(folder.path()) == 3);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}
TEST_CASE("write_file() writes each item in its frame, and is over when the file is there") {
  const support::temporary_folder folder;
  const auto written = [&](std::string_view what_comes, std::deque<std::int32_t> answers) {
    scripted::driver io;
    const int descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    io.at_once = std::move(answers);
    io.at_once.push_front(descriptor);  // of open
    const write_file_options quick{.durable = false};
    auto seen = marbles::ended([&] {
      io.install();
      return marbles::buffers(what_comes) | write_file(folder / "out", quick);
    });
    if (seen.back() != '#') ::close(descriptor);  // else the file has done so, not the script
    return seen;
  };
  const std::int32_t closed = 0, not_there = -ENOENT, renamed = 0;
  CHECK(written("-[abc]-[de]-|", {3, 2, closed, not_there, renamed}) == "-----5");
  CHECK(written("--|", {closed, not_there, renamed}) == "--0");
  CHECK(written("-[abc]-[de]-|", {3, -ENOSPC}) == "---#");
  CHECK(written("-[abc]-#", {3}) == "---#");
}

TEST_CASE("write_file(): a slow disk sets the pace") {
  const support::temporary_folder folder;
  scripted::driver io;
  const int descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  const auto to_a_slow_disk = [&]() -> task<result<std::uint64_t>> {
    io.install();
    const write_file_options quick{.durable = false};
    const auto disk = [&]() -> task<> {
      const std::vector<std::int32_t> answers{descriptor, 3, 2, 0, -ENOENT, 0};
      for (const std::int32_t answer : answers) {
        co_await sleep_for(2ms);
        CHECK(io.complete(answer));
      }
    };
    auto [written, done] = co_await when_all_settled(
        marbles::buffers("[abc][de]|") | write_file(folder / "out", quick), disk());
    co_return written;
  };
  // Opened, written twice, closed, looked at and renamed.
  CHECK(marbles::ended(to_a_slow_disk) == "------------5");
  ::close(descriptor);
}
TEST_CASE("write_file(): short writes go on, and every operation may fail") {
  const support::temporary_folder folder;
  const auto play = [&](std::deque<std::int32_t> answers) {
    test::test_runtime rt;
    scripted::driver io;
    io.at_once = std::move(answers);
    std::string outcome;
    const auto body = [&]() -> task<> {
      io.install();
      const auto written = co_await (from(three) | write_file(folder / "out"));
      outcome = written ? std::to_string(*written) : message_of(written);
    };
    rt.run(body());
    return outcome;
  };
  const auto descriptor = [] { return ::open("/dev/null", O_WRONLY | O_CLOEXEC); };
  const auto begins = [](const std::string& text, const std::string& with) {
    return text.rfind(with, 0) == 0;
  };
  const std::string temporary = folder.path() + "/.out.";
  CHECK(begins(play({-EACCES}), "open '" + temporary));
  CHECK(begins(play({descriptor(), 4, -ENOSPC}), "write '" + temporary));
  CHECK(begins(play({descriptor(), 4, 2, -EIO}), "write '" + temporary));
  CHECK(begins(play({descriptor(), 4, 2, 2, 5, -EIO}), "fsync '" + temporary));
  CHECK(begins(play({descriptor(), 4, 4, 5, 0, 0, -ENOENT, -EIO}), "rename '" + temporary));
}
