// tests/runtime/cpu_pool_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/runtime/cpu_pool.hpp>

#include <atomic>
#include <latch>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;

namespace {
struct counted {
  explicit counted(std::ptrdiff_t n) : left(n) {}
  static void run(void* what, void* where) noexcept {
    auto& self = *static_cast<counted*>(what);
    self.sum.fetch_add(reinterpret_cast<std::uintptr_t>(where), std::memory_order_relaxed);
    self.left.count_down();
  }
  std::atomic<std::uintptr_t> sum{0};
  std::latch left;
};
void* number(std::uintptr_t n) { return reinterpret_cast<void*>(n); }
}  // namespace

TEST_CASE("a pool without work has no threads") {
  cpu_pool pool(4);
  CHECK(pool.size() == 4);
  CHECK(pool.started() == 0);
}

TEST_CASE("every job runs once, whoever submits it") {
  constexpr std::uintptr_t each = 5'000;
  counted jobs(3 * each);
  cpu_pool pool(2);
  const auto submit = [&] {
    for (std::uintptr_t i = 1; i <= each; ++i) pool.submit(&counted::run, &jobs, number(i));
  };
  std::thread a(submit), b(submit);
  submit();
  a.join();
  b.join();
  jobs.left.wait();
  CHECK(jobs.sum == 3 * each * (each + 1) / 2);
  CHECK(pool.started() <= 2);
}

TEST_CASE("a thread is started for a job that finds none free, up to the bound") {
  cpu_pool pool(3);
  struct meeting {
    std::latch all{3};
    std::latch done{5};
    std::atomic<int> ran{0};
  } m;
  const auto meet = [](void* what, void*) noexcept {
    auto& x = *static_cast<meeting*>(what);
    x.all.arrive_and_wait();  // only three threads at once get past it
    ++x.ran;
    x.done.count_down();
  };
  for (int i = 0; i < 3; ++i) pool.submit(meet, &m, nullptr);
  m.all.wait();
  for (int i = 0; i < 2; ++i) {
    pool.submit(
        [](void* what, void*) noexcept {
          ++static_cast<meeting*>(what)->ran;
          static_cast<meeting*>(what)->done.count_down();
        },
        &m, nullptr);
  }
  m.done.wait();
  CHECK(m.ran == 5);
  CHECK(pool.started() == 3);
}

TEST_CASE("a job submitted to sleeping threads wakes one") {
  cpu_pool pool(2);
  for (int round = 0; round < 300; ++round) {
    counted one(1);
    pool.submit(&counted::run, &one, number(7));
    one.left.wait();
    REQUIRE(one.sum == 7);
  }
}

TEST_CASE("the destructor joins idle and busy threads") {
  auto done = std::make_unique<std::atomic<int>>(0);
  {
    cpu_pool pool(2);
    for (int i = 0; i < 50; ++i)
      pool.submit([](void* what, void*) noexcept { ++*static_cast<std::atomic<int>*>(what); },
                  done.get(), nullptr);
  }
  CHECK(*done == 50);
}
