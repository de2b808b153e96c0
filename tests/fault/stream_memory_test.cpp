// tests/fault/stream_memory_test.cpp
// SPDX-License-Identifier: BSL-1.0
// timeout: 300
#include <penstock/base/checksum.hpp>
#include <penstock/base/literals.hpp>
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream.hpp>

#include <fault/upload_fixture.hpp>
#include <support/child.hpp>

#include <sys/resource.h>

#include <cstdio>

#include <doctest/doctest.h>

using namespace upload_fault;
using namespace penstock::literals;

namespace {
// What a sanitizer keeps of freed memory, and its shadows, are not the pipeline's.
#if PENSTOCK_ASAN || PENSTOCK_TSAN
constexpr long most_growth = 64 * 1024;
#else
constexpr long most_growth = 4 * 1024;
#endif

long peak_kib() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return used.ru_maxrss;
}
task<result<std::uint64_t>> bytes_of(fs::path path) {
  file in = co_await ok(file::open(path, open_mode::read));
  auto look = [](buffer b) -> task<buffer> {
    static_cast<void>(co_await offload([&b] { return crc32c(b.bytes()); }));
    co_return b;
  };
  std::uint64_t bytes = 0;
  auto add = [&](const buffer& b) { bytes += b.size(); };
  co_await ok(read_chunks(in, 64_KiB) | map_concurrent(4, look) | for_each(add));
  co_return bytes;
}
}  // namespace

TEST_CASE("ST1: a file of 1 GiB goes through a pipeline in less than 4 MiB") {
  folder f;
  write_all(f.root / "short", std::string(1_MiB, 'x'));
  write_all(f.root / "long", "");
  fs::resize_file(f.root / "long", 1_GiB);
  for (const auto kind : {driver_kind::automatic, driver_kind::reactor}) {
    const auto child = support::in_child([&] {
      runtime rt({.driver = kind});
      if (rt.run(bytes_of(f.root / "short")).value() != 1_MiB) return 1;
      const long before = peak_kib();
      if (rt.run(bytes_of(f.root / "long")).value() != 1_GiB) return 2;
      const long growth = peak_kib() - before;
      if (growth < most_growth) return 0;
      std::fprintf(stderr, "it grew by %ld KiB\n", growth);
      return 3;
    });
    CHECK(child.output == "");
    CHECK(child.status == 0);
  }
}
