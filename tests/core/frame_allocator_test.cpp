// tests/core/frame_allocator_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/frame_allocator.hpp>

#include <penstock/base/random.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <support/child.hpp>
#include <support/seeds.hpp>
#include <support/skip.hpp>

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace penstock;
using detail::frame_allocate;
using detail::frame_batch;
using detail::frame_class;
using detail::frame_class_size;
using detail::frame_free;

TEST_CASE("size classes cover every size, tightly, in steps of 16 bytes at least") {
  for (std::size_t n = 1; n <= detail::max_frame; ++n) {
    const auto c = frame_class(n);
    if (c >= detail::frame_classes || frame_class_size(c) < n || frame_class_size(c) % 16 != 0 ||
        (c > 0 && frame_class_size(c - 1) >= n)) {
      FAIL_CHECK("size " << n);
    }
  }
}

TEST_CASE("frames are aligned and disjoint, and reused last in, first out") {
  std::vector<std::pair<unsigned char*, std::size_t>> all;
  for (std::size_t n : {1u, 16u, 17u, 100u, 512u, 513u, 2048u, 5000u, 16384u, 16385u, 100000u}) {
    for (int i = 0; i < 5; ++i) {
      auto* p = static_cast<unsigned char*>(frame_allocate(n));
      CHECK(reinterpret_cast<std::uintptr_t>(p) % 16 == 0);
      std::memset(p, static_cast<int>(n + static_cast<std::size_t>(i)) & 0xff, n);
      all.emplace_back(p, n);
    }
  }
  for (std::size_t k = 0; k < all.size(); ++k) {
    const auto [p, n] = all[k];
    const auto expected = static_cast<unsigned char>((n + k % 5) & 0xff);
    CHECK(p[0] == expected);
    CHECK(p[n - 1] == expected);
    frame_free(p, n);
  }
#if !PENSTOCK_ASAN
  void* a = frame_allocate(200);
  frame_free(a, 200);
  CHECK(frame_allocate(199) == a);  // the same class
  frame_free(a, 199);
#endif
}

#if !PENSTOCK_ASAN
TEST_CASE("in steady state nothing is allocated and nothing moves to the depot") {
  auto churn = [] {
    std::vector<void*> some;
    some.reserve(32);
    for (int round = 0; round < 100; ++round) {
      for (int i = 0; i < 20; ++i) some.push_back(frame_allocate(300));
      while (!some.empty()) {
        frame_free(some.back(), 300);
        some.pop_back();
      }
    }
  };
  churn();
  const auto before = frame_recycler_stats();
  test::allocation_counter count;
  churn();
  const auto made = count.allocations();
  const auto after = frame_recycler_stats();
  CHECK(made == (test::allocation_counter::available() ? 1 : 0));  // the vector
  CHECK(after.slabs == before.slabs);
  CHECK(after.spills == before.spills);
}

TEST_CASE("frames above 16 KiB come from operator new, each, and are counted") {
  const auto before = frame_recycler_stats();
  test::allocation_counter count;
  void* p = frame_allocate(16 * 1024 + 1);
  const auto made = count.allocations();
  frame_free(p, 16 * 1024 + 1);
  const auto freed = count.deallocations();
  CHECK(frame_recycler_stats().oversize == before.oversize + 1);
  if (test::allocation_counter::available()) {
    CHECK(made == 1);
    CHECK(freed == 1);
  }
}

// One thread creates, another frees: without the depot every round would need new slabs.
TEST_CASE("frames that another thread frees come back, and no thread keeps more than two batches") {
  constexpr std::size_t size = 1000;
  const std::size_t count = 50 * frame_batch(size);
  auto round = [&] {
    std::vector<void*> all(count);
    for (auto& p : all) p = frame_allocate(size);
    std::thread([&] {
      for (auto* p : all) frame_free(p, size);
    }).join();
  };
  round();
  const auto first = frame_recycler_stats();
  for (int i = 0; i < 20; ++i) round();
  const auto last = frame_recycler_stats();
  CHECK(last.slabs == first.slabs);
  CHECK(last.spills - first.spills >= 20 * (count / frame_batch(size) - 2));
}

TEST_CASE("a thread that ends leaves its frames to the others") {
  constexpr std::size_t size = 1500;
  auto use = [&] {
    std::vector<void*> some;
    for (int i = 0; i < 3; ++i) some.push_back(frame_allocate(size));
    for (auto* p : some) frame_free(p, size);
  };
  std::thread(use).join();
  const auto before = frame_recycler_stats();
  for (int i = 0; i < 50; ++i) std::thread(use).join();
  CHECK(frame_recycler_stats().slabs == before.slabs);
}

TEST_CASE("after the first MiB slabs are cut out of regions of 2 MiB") {
  auto& depot = *new detail::frame_depot;  // what it makes is never given back
  constexpr std::size_t size = 512;
  const auto c = frame_class(size);
  const std::size_t batch = size * frame_batch(size);
  for (std::size_t made = 0; made < (1u << 20); made += batch) {
    REQUIRE(depot.take(c));
    CHECK(depot.stats().regions == 0);
  }
  std::set<std::uintptr_t> regions;
  std::size_t frames = 0;
  for (std::size_t made = 0; made < 2 * detail::frame_region; made += batch) {
    for (auto* f = depot.take(c); f->next; f = f->next) {
      regions.insert(reinterpret_cast<std::uintptr_t>(f) / detail::frame_region);
      ++frames;
    }
  }
  CHECK(frames * size == 2 * detail::frame_region);
  CHECK(regions.size() == 2);
  CHECK(depot.stats().regions == 2);
  CHECK(depot.stats().slabs == 16 + 64);
  // What is left of a region serves another class.
  const auto odd = frame_class(720);
  while (depot.stats().regions == 2) REQUIRE(depot.take(odd));
  CHECK(depot.take(c));
  CHECK(depot.stats().regions == 3);
}

TEST_CASE("a region is aligned, and huge pages are advised for it") {
  auto* const region = detail::map_frame_region();
  REQUIRE(region);
  const auto at = reinterpret_cast<std::uintptr_t>(region);
  CHECK(at % detail::frame_region == 0);
  region[0] = region[detail::frame_region - 1] = 1;
  std::ifstream maps("/proc/self/smaps");
  std::string flags;
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2)
      inside = begin <= at && at < end;
    if (inside && line.starts_with("VmFlags:")) flags = line + " ";
  }
  const bool advised = ::madvise(region, detail::frame_region, MADV_HUGEPAGE) == 0;
  detail::unmap_frame_region(region);
  if (!advised || flags.empty()) return support::skip("the kernel has no huge pages");
  CHECK(flags.find(" hg ") != std::string::npos);
}

TEST_CASE("threads that fill regions at once get frames of their own") {
  auto& depot = *new detail::frame_depot;
  constexpr std::size_t threads = 4;
  constexpr std::size_t size = 2048;
  const auto c = frame_class(size);
  const std::size_t batch = size * frame_batch(size);
  const std::size_t takes = 2 * detail::frame_region / batch;
  std::vector<detail::free_frame*> taken[threads];
  std::vector<std::thread> all;
  for (auto& mine : taken) {
    all.emplace_back([&] {
      for (std::size_t i = 0; i < takes; ++i) {
        for (auto* f = depot.take(c); f->next; f = f->next) mine.push_back(f);
      }
    });
  }
  for (auto& t : all) t.join();
  std::set<detail::free_frame*> frames;
  for (const auto& mine : taken) {
    CHECK(mine.size() == takes * frame_batch(size));
    frames.insert(mine.begin(), mine.end());
  }
  CHECK(frames.size() == threads * takes * frame_batch(size));
  const auto stats = depot.stats();
  const auto in_regions = frames.size() * size - (1u << 20);
  CHECK(stats.regions >= in_regions / detail::frame_region);
  CHECK(stats.regions <= in_regions / detail::frame_region + 2);
}

TEST_CASE("a region that cannot be had is done without") {
  if (PENSTOCK_TSAN) return support::skip("the sanitizer needs address space");
  const auto child = support::in_child([] {
    auto& depot = *new detail::frame_depot;
    const auto c = frame_class(512);
    while (depot.stats().regions == 0) depot.take(c);
    while (depot.stats().slabs % 32 != 16) depot.take(c);  // the region is used up
    // Free memory inside the heap: operator new goes on without the kernel.
    std::vector<void*> pieces;
    for (int i = 0; i < 64; ++i) pieces.push_back(::operator new(64 * 1024));
    static void* const above = ::operator new(64 * 1024);
    for (auto* p : pieces) ::operator delete(p);
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_AS, &none);
    for (int i = 0; i < 40; ++i)
      if (!depot.take(c)) return 2;
    return depot.stats().regions == 1 && above ? 0 : 1;
  });
  CHECK(child.status == 0);
}

TEST_CASE("short batches of ended threads are counted right") {
  constexpr std::size_t size = 1700;
  const auto batch = frame_batch(size);
  std::thread([&] { frame_free(frame_allocate(size), size); }).join();
  std::thread([&] {
    // Takes short and full batches, gives all back, takes them again.
    std::vector<void*> all;
    for (int round = 0; round < 3; ++round) {
      for (std::uint32_t i = 0; i < 5 * batch; ++i) all.push_back(frame_allocate(size));
      for (auto* p : all) frame_free(p, size);
      all.clear();
    }
  }).join();
  CHECK(frame_recycler_stats().slabs > 0);
}
#endif

TEST_CASE("threads that pass frames around share nothing by mistake") {
  for (auto seed : support::seeds(4)) {
    CAPTURE(seed);
    constexpr int rounds = 200;
    std::vector<std::pair<unsigned char*, std::size_t>> shared[2];
    auto worker = [&](int me, std::uint64_t s) {
      random_engine dice(s);
      auto& mine = shared[me];
      for (int r = 0; r < rounds; ++r) {
        const auto n = static_cast<std::size_t>(dice.uniform_int(1, 2000));
        auto* p = static_cast<unsigned char*>(frame_allocate(n));
        std::memset(p, me + 1, n);
        mine.emplace_back(p, n);
      }
    };
    for (int again = 0; again < 3; ++again) {
      std::thread a(worker, 0, seed), b(worker, 1, seed + 100);
      a.join();
      b.join();
      bool good = true;
      for (int me = 0; me < 2; ++me) {
        for (auto [p, n] : shared[me]) {
          for (std::size_t i = 0; i < n; ++i) good = good && p[i] == me + 1;
        }
      }
      CHECK(good);
      // The other thread frees.
      std::thread c([&] {
        for (auto [p, n] : shared[0]) frame_free(p, n);
        shared[0].clear();
      });
      std::thread d([&] {
        for (auto [p, n] : shared[1]) frame_free(p, n);
        shared[1].clear();
      });
      c.join();
      d.join();
    }
  }
}
