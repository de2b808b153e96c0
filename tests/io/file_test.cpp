// tests/io/file_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/file.hpp>

#include <penstock/base/buffer.hpp>
#include <penstock/core.hpp>
#include <support/each_driver.hpp>
#include <support/temporary_folder.hpp>

#include <array>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using support::temporary_folder;

static_assert(std::is_nothrow_move_constructible_v<file> && !std::is_copy_constructible_v<file>);
static_assert(std::is_same_v<await_result_t<detail::read_awaiter>, result<std::size_t>>);
static_assert(std::is_same_v<await_result_t<detail::write_awaiter>, result<>>);
static_assert(std::is_same_v<await_result_t<detail::open_awaiter>, result<file>>);
static_assert(sizeof(detail::read_awaiter) <= 128, "it is in the frame of every task that reads");

namespace {
std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
}  // namespace

// [copy]
static task<result<std::uint64_t>> copy(std::string from, std::string to) {
  file in = co_await ok(file::open(from, open_mode::read));
  file out = co_await ok(file::open(to, open_mode::write | open_mode::create));
  std::vector<std::byte> block(64 * 1024);
  while (std::size_t n = co_await ok(in.read_some(block))) {  // 0: the end of the file
    co_await ok(out.write_all(std::span(block).first(n)));
  }
  co_await ok(out.fsync());
  co_await ok(out.close());
  co_return in.position();
}
// [/copy]

TEST_CASE("a file is copied, whatever its size") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    for (std::size_t size : {0u, 1u, 4095u, 65'536u, 65'537u, 1'000'003u}) {
      CAPTURE(size);
      std::string text(size, '\0');
      std::iota(text.begin(), text.end(), '\1');
      const auto from = folder.put("from", text);
      const auto copied = rt.run(copy(from, folder / "to"));
      REQUIRE(copied);
      CHECK(*copied == size);
      CHECK(folder.get("to") == text);
      std::filesystem::remove(folder / "to");
    }
    const auto stats = rt.loop(0).io()->stats();
    CHECK(stats.bytes_read >= 1'000'003);
    CHECK(stats.bytes_written >= 1'000'003);
  });
}

TEST_CASE("reads and writes at offsets, many at once") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      file f = co_await ok(
          file::open(folder / "f", open_mode::read_write | open_mode::create_new, 0600));
      constexpr int blocks = 200;
      const auto write = [&](int i) -> task<result<>> {
        const std::string text(512, static_cast<char>('a' + i % 26));
        co_return co_await f.write_at(static_cast<std::uint64_t>(i) * 512, bytes_of(text));
      };
      const auto writes = [&](task_group& group) -> task<result<>> {
        for (int i = blocks; i-- > 0;) group.start(write, i);
        co_return result<>{};
      };
      co_await ok(with_group(writes));
      const auto size = co_await ok(f.size());
      CHECK(size == blocks * 512);
      std::array<std::byte, 1024> two{};
      for (int i = 0; i + 1 < blocks; i += 37) {
        const auto n = co_await ok(f.read_at(static_cast<std::uint64_t>(i) * 512, two));
        CHECK(n == 1024);
        CHECK(static_cast<char>(two[0]) == 'a' + i % 26);
        CHECK(static_cast<char>(two[1023]) == 'a' + (i + 1) % 26);
      }
      auto n = co_await ok(f.read_at(size - 10, two));
      CHECK(n == 10);
      n = co_await ok(f.read_at(size, two));
      CHECK(n == 0);
      n = co_await ok(f.read_at(size + 1'000'000, two));
      CHECK(n == 0);
      co_return co_await f.close();
    };
    const auto outcome = rt.run(body());
    CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
  });
}

TEST_CASE("the modes do what they say") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      const std::string path = folder / "f";
      auto opened = co_await file::open(path, open_mode::read);
      CHECK(opened.error().message() == "open '" + path + "': No such file or directory");
      opened = co_await file::open(path, open_mode::write);
      CHECK(opened.error() == std::errc::no_such_file_or_directory);

      file f = co_await ok(file::open(path, open_mode::write | open_mode::create, 0640));
      co_await ok(f.write_all(bytes_of("0123456789")));
      co_await ok(f.write_at(2, bytes_of("xy")));
      CHECK(f.path() == path);
      std::array<std::byte, 4> some{};
      const auto refused = co_await f.read_at(0, some);
      CHECK(refused.error() == std::errc::bad_file_descriptor);
      const auto status = co_await ok(f.stat());
      CHECK(status.size == 10);
      CHECK(status.kind == file_kind::regular);
      CHECK((status.mode & ~0640u) == 0);
      CHECK(status.links == 1);
      CHECK(status.mtime_ns > 1'600'000'000'000'000'000);
      CHECK(status.inode != 0);

      opened = co_await file::open(path, open_mode::create_new);
      CHECK(opened.error() == std::errc::file_exists);
      f = co_await ok(file::open(path, open_mode::append));
      co_await ok(f.write_all(bytes_of("+")));
      co_await ok(f.write_at(0, bytes_of("+")));
      CHECK(folder.get("f") == "01xy456789++");
      f = co_await ok(file::open(path, open_mode::write | open_mode::truncate));
      CHECK(folder.get("f").empty());
      f = co_await ok(file::open(path, open_mode::read_write | open_mode::data_sync));
      co_await ok(f.write_all(bytes_of("durable")));
      std::filesystem::create_symlink(path, folder / "link");
      opened = co_await file::open(folder / "link", open_mode::read | open_mode::no_follow);
      CHECK(opened.error() == std::errc::too_many_symbolic_link_levels);
      co_return result<>{};
    };
    const auto outcome = rt.run(body());
    CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
  });
}

TEST_CASE("space is reserved, files are cut and extended, and made durable") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      file f = co_await ok(file::open(folder / "f", open_mode::read_write | open_mode::create));
      co_await ok(f.preallocate(0, 100'000));
      auto status = co_await ok(f.stat());
      CHECK(status.size == 100'000);
      CHECK(status.allocated >= 100'000);
      co_await ok(f.truncate(10));
      auto size = co_await ok(f.size());
      CHECK(size == 10);
      co_await ok(f.truncate(5'000));
      size = co_await ok(f.size());
      CHECK(size == 5'000);
      co_await ok(f.datasync());
      co_await ok(f.fsync());
      const auto refused = co_await f.preallocate(0, 0);
      CHECK(refused.error() == std::errc::invalid_argument);
      CHECK(refused.error().operation() == "preallocate");
      co_return result<>{};
    };
    const auto outcome = rt.run(body());
    CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
  });
}

TEST_CASE("a directory is no file to read") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      file f = co_await ok(file::open(folder.path(), open_mode::read));
      std::array<std::byte, 4> some{};
      const auto n = co_await f.read_some(some);
      CHECK(n.error().message() == "read '" + folder.path() + "': Is a directory");
      const auto opened = co_await file::open(folder.path(), open_mode::write);
      CHECK(opened.error() == std::errc::is_a_directory);
      co_return result<>{};
    };
    CHECK(rt.run(body()));
  });
}

TEST_CASE("a full device is an error of the write") {
  support::on_each_driver([](runtime& rt) {
    const auto body = [&]() -> task<result<>> {
      file f = co_await ok(file::open("/dev/full", open_mode::write));
      co_return co_await f.write_all(bytes_of("text"));
    };
    const auto outcome = rt.run(body());
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().message() == "write '/dev/full': No space left on device");
  });
}

TEST_CASE("close says how it went, once; the file is closed in any case") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      file f = co_await ok(file::open(folder / "f", open_mode::create));
      const int fd = f.native_handle();
      CHECK(f.is_open());
      co_await ok(f.close());
      CHECK_FALSE(f.is_open());
      CHECK(::fcntl(fd, F_GETFD) == -1);
      co_await ok(f.close());

      file bad(1'000'000, "no such descriptor");
      const auto outcome = co_await bad.close();
      CHECK(outcome.error().message() == "close 'no such descriptor': Bad file descriptor");
      CHECK_FALSE(bad.is_open());

      file moved = co_await ok(file::open(folder / "f", open_mode::read));
      file other = std::move(moved);
      CHECK_FALSE(moved.is_open());  // NOLINT(bugprone-use-after-move): it says so
      CHECK(other.is_open());
      const int kept = other.native_handle();
      other = file();
      CHECK(::fcntl(kept, F_GETFD) == -1);
      co_return result<>{};
    };
    CHECK(rt.run(body()));
  });
}

TEST_CASE("direct I/O with aligned buffers; what is not aligned is an error that says so") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto body = [&]() -> task<result<>> {
      auto opened = co_await file::open(
          folder / "f", open_mode::read_write | open_mode::create | open_mode::direct);
      if (!opened) {
        support::skip("no direct I/O in the temporary folder");
        co_return result<>{};
      }
      file f = std::move(*opened);
      const auto [memory, offset] = f.alignment();
      CHECK(memory >= 1);
      CHECK(offset >= 1);
      buffer block = buffer::allocate(3 * 4096 + 512, 4096);
      const auto whole = block.mutable_bytes().first(3 * 4096);
      std::memset(whole.data(), 'd', whole.size());
      co_await ok(f.write_all(whole));
      co_await ok(f.truncate(10'000));
      std::memset(whole.data(), 0, whole.size());
      // The end of the file is off the grid.
      auto n = co_await ok(f.read_at(0, whole));
      CHECK(n == 10'000);
      CHECK(static_cast<char>(whole[9'999]) == 'd');
      CHECK(static_cast<char>(whole[10'000]) == '\0');
      n = co_await ok(f.read_at(4096, whole));
      CHECK(n == 10'000 - 4096);
      const auto refused = co_await f.read_at(7, whole.first(100));
      if (refused) {
        support::skip("this file system takes what is not aligned");
        co_return result<>{};
      }
      CHECK(refused.error() == std::errc::invalid_argument);
      const auto text = refused.error().message();
      CHECK(text.find("direct read of 100 bytes at offset 7 (the buffer must be aligned to ") == 0);
      CHECK(text.find("'" + f.path() + "': Invalid argument") != std::string::npos);
      const auto odd = co_await f.write_at(0, block.mutable_bytes().subspan(1, 4096));
      CHECK(!odd);
      co_return result<>{};
    };
    const auto outcome = rt.run(body());
    CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
  });
}

TEST_CASE("a read of a pipe that nobody writes is cancelled by a stop") {
  runtime rt({.driver = driver_kind::uring});
  if (rt.driver_name() == "none") return support::skip("no io_uring on this machine");
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const auto body = [&]() -> task<result<>> {
    file in(ends[0], "pipe");
    file out(ends[1], "pipe");
    std::array<std::byte, 8> bytes{};
    const auto waited = co_await with_timeout(2ms, in.read_some(bytes));
    CHECK(waited.error() == errc::timed_out);
    // What was not read is still there.
    co_await ok(out.write_all(bytes_of("text")));
    const auto n = co_await ok(with_timeout(1h, in.read_some(bytes)));
    CHECK(n == 4);
    CHECK(text_of(std::span(bytes).first(n)) == "text");
    co_return result<>{};
  };
  CHECK(rt.run(body()));
}

TEST_CASE("a run that is stopped ends with nothing in flight") {
  support::on_each_driver([](runtime& rt) {
    const temporary_folder folder;
    const auto path = folder.put("f", std::string(1 << 20, 'x'));
    for (int round = 0; round < 20; ++round) {
      CAPTURE(round);
      const auto reader = [&]() -> task<> {
        file f = co_await must(file::open(path, open_mode::read));
        std::vector<std::byte> block(100'000);
        for (;;) co_await must(f.read_at(static_cast<std::uint64_t>(round) * 1000, block));
      };
      const auto body = [&](task_group& group) -> task<result<>> {
        for (int i = 0; i < 10; ++i) group.start(reader);
        for (int i = 0; i < round * 3; ++i) co_await yield();
        rt.request_stop();
        co_await sleep_for(1h);
        co_return result<>{};
      };
      const auto outcome = rt.run(with_group(body));
      CHECK(outcome.error() == errc::canceled);
      CHECK(rt.loop(0).io()->in_flight() == 0);
    }
  });
}

TEST_CASE("a file may be used on another loop than it was opened on") {
  runtime_options options;
  options.threads = 2;
  support::on_each_driver(
      [](runtime& rt) {
        const temporary_folder folder;
        const auto path = folder.put("f", "on the other loop");
        const auto body = [&]() -> task<result<std::string>> {
          file f = co_await ok(file::open(path, open_mode::read));
          std::array<std::byte, 64> bytes{};
          const auto read = [&]() -> task<result<std::size_t>> {
            co_return co_await f.read_some(bytes);
          };
          const auto n = co_await ok(resume_on(rt.loop(1), read()));
          co_return text_of(std::span(bytes).first(n));
        };
        CHECK(rt.run(body()) == "on the other loop");
      },
      options);
}
