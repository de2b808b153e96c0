// tests/io/registered_memory_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Direct I/O with the buffers of a pool that is registered: pinned once by each ring.
#include <penstock/base/registered_memory.hpp>

#include <penstock/core/this_task.hpp>
#include <penstock/io/file.hpp>
#include <penstock/pool/buffer_pool.hpp>
#include <penstock/runtime/driver/detail/liburing.hpp>

#include <support/child.hpp>
#include <support/each_driver.hpp>
#include <support/forbid.hpp>
#include <support/temporary_folder.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using support::temporary_folder;

namespace {
constexpr std::size_t block = std::size_t{64} << 10;
constexpr buffer_pool_options pinned{.buffer_size = block, .count = 4, .registered = true};

std::uint64_t pinned_so_far(scheduler& loop) { return loop.io_driver()->stats().pinned; }

// Writes and reads back one block, which is the letter. Gives how many of the two operations used
// pinned memory, or the error.
task<result<std::uint64_t>> round_trip(const std::string& path, buffer_pool& pool, char letter,
                                       open_mode how = open_mode::direct) {
  scheduler& loop = co_await this_task::scheduler();
  const auto before = pinned_so_far(loop);
  buffer b = co_await ok(pool.acquire());
  std::ranges::fill(b.mutable_bytes(), static_cast<std::byte>(letter));
  file f = co_await ok(file::open(path, open_mode::read_write | open_mode::create | how));
  co_await ok(f.write_at(0, b.bytes()));
  std::ranges::fill(b.mutable_bytes(), std::byte{0});
  const auto n = co_await ok(f.read_at(0, b.mutable_bytes()));
  const bool same = std::ranges::all_of(
      b.bytes(), [&](std::byte x) { return x == static_cast<std::byte>(letter); });
  if (n != block || !same) co_return fail(errc::corrupt, "read back", path);
  co_return pinned_so_far(loop) - before;
}
bool no_direct(const result<std::uint64_t>& outcome) {
  if (outcome || outcome.error() != std::errc::invalid_argument) return false;
  support::skip("no direct I/O in the temporary folder");
  return true;
}
std::uint64_t expected(runtime& rt) { return rt.driver_name() == "uring" ? 2 : 0; }
}  // namespace

TEST_CASE("direct I/O with the buffers of a registered pool uses pinned memory") {
  const temporary_folder folder;
  support::on_each_driver([&](runtime& rt) {
    buffer_pool pool(pinned);
    for (const char letter : {'a', 'b', 'c'}) {
      const auto used = rt.run(round_trip(folder / "f", pool, letter));
      if (no_direct(used)) return;
      CHECK(used == expected(rt));
    }
  });
}

TEST_CASE("what is not registered, or not direct, is as ever") {
  const temporary_folder folder;
  support::on_each_driver([&](runtime& rt) {
    buffer_pool registered(pinned);
    buffer_pool plain({.buffer_size = block, .count = 1});
    CHECK(rt.run(round_trip(folder / "f", registered, 'a', open_mode::read)) == 0u);
    const auto used = rt.run(round_trip(folder / "f", plain, 'b'));
    if (no_direct(used)) return;
    CHECK(used == 0u);
    CHECK(rt.run(round_trip(folder / "f", registered, 'c')) == expected(rt));
  });
}

TEST_CASE("memory that is used anew after its pool is not taken for the pool's") {
  const temporary_folder folder;
  support::on_each_driver([&](runtime& rt) {
    for (int i = 0; i < 20; ++i) {  // mostly at the same address
      buffer_pool registered(pinned);
      const auto used = rt.run(round_trip(folder / "f", registered, 'r'));
      if (no_direct(used)) return;
      CHECK(used == expected(rt));
      std::optional<buffer_pool> next;
      for (int k = 0; k < 2; ++k) {
        next.emplace(buffer_pool_options{.buffer_size = block, .count = 4});
        CHECK(rt.run(round_trip(folder / "f", *next, 'n')) == 0u);
      }
    }
  });
}

TEST_CASE("each loop pins the memory for itself") {
  const temporary_folder folder;
  support::on_each_driver(
      [&](runtime& rt) {
        buffer_pool pool(pinned);
        std::atomic<int> loops{0};
        auto on_one = [&]() -> task<result<>> {
          const int me = loops.fetch_add(1);
          const std::string path = folder / ("loop" + std::to_string(me));
          const auto used = co_await round_trip(path, pool, static_cast<char>('a' + me));
          if (no_direct(used)) co_return result<>{};
          CHECK(used == expected(rt));
          co_return result<>{};
        };
        CHECK(rt.run_on_each_loop(on_one));
      },
      {.threads = 3});
}

TEST_CASE("more regions than a ring can know, and one that is too large, work as without") {
  std::optional<registered_memory> all[detail::memory_regions::places + 2];
  static std::byte bytes[4096];
  for (auto& one : all) one.emplace(bytes, sizeof bytes);
  CHECK(all[0]->known());
  CHECK_FALSE(all[detail::memory_regions::places + 1]->known());
  for (auto& one : all) one.reset();
  CHECK(registered_memory(bytes, sizeof bytes).known());
  CHECK_FALSE(registered_memory(bytes, (std::size_t{1} << 30) + 1).known());

  const temporary_folder folder;
  support::on_each_driver([&](runtime& rt) {
    for (auto& one : all) one.emplace(bytes, sizeof bytes);
    buffer_pool pool(pinned);
    const auto used = rt.run(round_trip(folder / "f", pool, 'a'));
    for (auto& one : all) one.reset();
    if (no_direct(used)) return;
    CHECK(used == 0u);
  });
}

TEST_CASE("where the kernel does not pin, direct I/O works as without") {
  const temporary_folder folder;
  ::chmod(folder.path().c_str(), 0777);
  const auto run_when = [&](auto confine) {
    return support::in_child([&] {
      if (!confine()) return 77;
      runtime rt({.driver = driver_kind::uring});
      buffer_pool pool(pinned);
      const auto used = rt.run(round_trip(folder / "child", pool, 'x'));
      if (rt.driver_name() == "none") return 77;
      if (!used && used.error() == std::errc::invalid_argument) return 77;
      std::fprintf(stderr, "%s\n",
                   used ? std::to_string(*used).c_str() : used.error().message().c_str());
      return 0;
    });
  };
  for (const int number : {EINVAL, EPERM, ENOMEM}) {
    for (const unsigned code : {IORING_REGISTER_BUFFERS2, IORING_REGISTER_BUFFERS_UPDATE}) {
      CAPTURE(number);
      CAPTURE(code);
      const auto child =
          run_when([&] { return support::forbid_code(SYS_io_uring_register, code, number); });
      if (child.status == 77) return support::skip("no io_uring, or no direct I/O");
      CHECK(child.output == "0\n");
    }
  }
  const auto poor = run_when([] {
    const rlimit none{0, 0};
    return ::setrlimit(RLIMIT_MEMLOCK, &none) == 0 && (::geteuid() != 0 || ::setuid(65'534) == 0);
  });
  if (poor.status != 77) CHECK(poor.output == "0\n");
}
