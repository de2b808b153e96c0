// tests/io/registered_memory_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Direct I/O with the buffers of a pool that is registered: pinned once by each ring.
#include <penstock/base/registered_memory.hpp>

#include <penstock/adapters/file.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/io/file.hpp>
#include <penstock/pool/buffer_pool.hpp>
#include <penstock/runtime/driver/detail/liburing.hpp>
#include <penstock/upload.hpp>

#include <support/child.hpp>
#include <support/each_driver.hpp>
#include <support/forbid.hpp>
#include <support/temporary_folder.hpp>

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using support::temporary_folder;

// Bytes that rings have pinned since the test began: looks at what the library asks of liburing.
static std::atomic<std::ptrdiff_t> bytes_pinned{0};
static std::array<std::atomic<std::size_t>, detail::memory_regions::places> pinned_at;
extern "C" int io_uring_register_buffers_update_tag(io_uring* ring, unsigned at,
                                                    const iovec* memory, const __u64* tags,
                                                    unsigned n) {
  using function = int (*)(io_uring*, unsigned, const iovec*, const __u64*, unsigned);
  static const auto real =
      reinterpret_cast<function>(::dlsym(RTLD_NEXT, "io_uring_register_buffers_update_tag"));
  const int r = real(ring, at, memory, tags, n);
  if (r != 1) return r;
  const std::size_t before = pinned_at[at].exchange(memory->iov_len);
  bytes_pinned += static_cast<std::ptrdiff_t>(memory->iov_len - before);
  return r;
}

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
// Whether the kernel pins as much as these tests ask for: not before Linux 5.19, nor with a low
// limit of locked memory.
bool pins() {
  io_uring ring{};
  if (::io_uring_queue_init(8, &ring, 0) < 0) return false;
  std::vector<std::byte> bytes(4 * 4 * block);
  const iovec memory{bytes.data(), bytes.size()};
  const bool good = ::io_uring_register_buffers_sparse(&ring, 1) == 0 &&
                    ::io_uring_register_buffers_update_tag(&ring, 0, &memory, nullptr, 1) == 1;
  ::io_uring_queue_exit(&ring);
  return good;
}
std::uint64_t expected(runtime& rt) {
  static const bool able = pins();
  if (rt.driver_name() != "uring") return 0;
  if (!able) support::skip("the kernel pins nothing");
  return able ? 2 : 0;
}
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

TEST_CASE("memory that is mapped anew at the same address, within one turn, is what is written") {
  const temporary_folder folder;
  support::on_each_driver([&](runtime& rt) {
    constexpr int access = PROT_READ | PROT_WRITE;
    void* const at = ::mmap(nullptr, block, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(at != MAP_FAILED);
    const std::span<std::byte> bytes(static_cast<std::byte*>(at), block);
    std::uint64_t used = 0;
    auto work = [&]() -> task<result<>> {
      scheduler& loop = co_await this_task::scheduler();
      const auto before = pinned_so_far(loop);
      file f = co_await ok(
          file::open(folder / "f", open_mode::read_write | open_mode::create | open_mode::direct));
      std::optional<registered_memory> registered(std::in_place, at, block);
      std::ranges::fill(bytes, std::byte{'o'});
      co_await ok(f.write_at(0, bytes));
      registered.reset();
      ::mmap(at, block, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
      std::ranges::fill(bytes, std::byte{'n'});
      co_await ok(f.write_at(block, bytes));
      used = pinned_so_far(loop) - before;
      co_return result<>{};
    };
    const auto outcome = rt.run(work());
    ::munmap(at, block);
    if (!outcome && outcome.error() == std::errc::invalid_argument)
      return support::skip("no direct I/O in the temporary folder");
    CHECK(outcome);
    CHECK(used == expected(rt) / 2);
    CHECK(folder.get("f") == std::string(block, 'o') + std::string(block, 'n'));
  });
}

TEST_CASE("a loop pins what its operations use, no other region, and lets go of what has ended") {
  const temporary_folder folder;
  runtime rt({.driver = driver_kind::uring});
  if (rt.driver_name() == "none") return support::skip("no io_uring on this machine");
  for (auto& bytes : pinned_at) bytes = 0;
  bytes_pinned = 0;
  buffer_pool other(pinned);  // has memory, and no operation
  CHECK(other.try_acquire().has_value());
  result<std::uint64_t> used;
  std::ptrdiff_t with_pool = -1;
  std::ptrdiff_t after_a_turn = -1;
  auto work = [&]() -> task<> {
    {
      buffer_pool pool(pinned);
      used = co_await round_trip(folder / "f", pool, 'a');
      with_pool = bytes_pinned;
    }
    co_await sleep_for(std::chrono::milliseconds(1));
    after_a_turn = bytes_pinned;
  };
  rt.run(work());
  if (no_direct(used)) return;
  if (expected(rt) == 0) return;
  CHECK(used == 2u);
  CHECK(with_pool == 4 * block);
  CHECK(after_a_turn == 0);

  // Also at the end of a run.
  auto last = [&]() -> task<> {
    buffer_pool pool(pinned);
    used = co_await round_trip(folder / "f", pool, 'a');
  };
  rt.run(last());
  CHECK(used == 2u);
  CHECK(bytes_pinned == 0);
}

TEST_CASE("regions come and go while operations on another are in flight") {
  const temporary_folder folder;
  support::on_each_driver([&](runtime& rt) {
    buffer_pool lasting(pinned);
    bool good = true;
    bool direct = true;
    auto steady = [&](int me) -> task<> {
      for (int i = 0; i < 30 && direct; ++i) {
        const auto name = folder / ("steady" + std::to_string(me));
        const auto used = co_await round_trip(name, lasting, static_cast<char>('a' + me));
        direct = direct && !no_direct(used);
        good = good && (!direct || used);
      }
    };
    auto passing = [&](int me) -> task<> {
      for (int i = 0; i < 30 && direct; ++i) {
        buffer_pool brief(pinned);
        const auto name = folder / ("passing" + std::to_string(me));
        const auto used = co_await round_trip(name, brief, static_cast<char>('p' + me));
        good = good && (!direct || used || used.error() == std::errc::invalid_argument);
      }
    };
    const auto before = rt.loop(0).io()->stats().pinned;
    auto all = [&]() -> task<> {
      co_await when_all(steady(0), steady(1), passing(0), steady(2), passing(1));
    };
    rt.run(all());
    CHECK(good);
    if (direct) CHECK(rt.loop(0).io()->stats().pinned - before == expected(rt) * 5 * 30);
  });
}

TEST_CASE("an upload registers its buffers when it is direct, and only then") {
  const temporary_folder folder;
  const std::string source = folder.put("source", std::string(300'000, 's'));
  support::on_each_driver([&](runtime& rt) {
    for (const bool direct : {true, false}) {
      CAPTURE(direct);
      auto send = [&]() -> task<result<upload_report>> {
        const auto how = direct ? open_mode::read | open_mode::direct : open_mode::read;
        file in = co_await ok(file::open(source, how));
        directory_target target(folder / "store", {.direct = direct});
        const upload_options options{.part_size = 128u << 10};
        co_return co_await upload(in, target, "object", options);
      };
      std::filesystem::create_directory(folder / "store");
      const auto version = detail::registered_regions.version();
      const auto before = rt.loop(0).io()->stats().pinned;
      const auto sent = rt.run(send());
      if (!sent && sent.error() == std::errc::invalid_argument) {
        support::skip("no direct I/O in the temporary folder");
        continue;
      }
      REQUIRE(sent);
      CHECK(folder.get("store/object") == folder.get("source"));
      CHECK((detail::registered_regions.version() != version) == direct);
      const auto used = rt.loop(0).io()->stats().pinned - before;
      CHECK((used != 0) == (direct && expected(rt) != 0));
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
  CHECK_FALSE(registered_memory(nullptr, sizeof bytes).known());

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
      buffer_pool pool({.buffer_size = block, .count = 32, .registered = true});
      const auto path = folder / ("child" + std::to_string(::getpid()));  // its user's
      const auto used = rt.run(round_trip(path, pool, 'x'));
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
  // Enough for the ring, which newer kernels count too, and not for the pool.
  const auto poor = run_when([] {
    const rlimit little{1u << 20, 1u << 20};
    return ::setrlimit(RLIMIT_MEMLOCK, &little) == 0 && (::geteuid() != 0 || ::setuid(65'534) == 0);
  });
  if (poor.status == 77) return support::skip("no io_uring, or no direct I/O, for that user");
  CHECK(poor.output == "0\n");
}
