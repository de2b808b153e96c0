// tests/base/spin_lock_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/spin_lock.hpp>

#include <doctest/doctest.h>

#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace {

using penstock::detail::no_lock;
using penstock::detail::spin_lock;

static_assert(sizeof(spin_lock) == 1 && std::is_empty_v<no_lock>);
static_assert(!std::is_copy_constructible_v<spin_lock>);
constinit spin_lock constant_initialised;

TEST_CASE("a taken lock cannot be taken again until it is left") {
  spin_lock lock;
  CHECK(lock.try_lock());
  CHECK_FALSE(lock.try_lock());
  lock.unlock();
  CHECK(lock.try_lock());
  lock.unlock();
  CHECK(constant_initialised.try_lock());
  constant_initialised.unlock();
}

TEST_CASE("one thread at a time is inside") {
  spin_lock lock;
  long counter = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        const std::scoped_lock guard(lock);
        counter = counter + 1;
      }
    });
  }
  for (auto& t : threads) t.join();
  CHECK(counter == 80'000);
}

TEST_CASE("a waiter gives the processor away until the owner leaves") {
  spin_lock lock;
  lock.lock();
  bool inside = false;
  std::thread waiter([&] {
    const std::scoped_lock guard(lock);
    inside = true;
  });
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  CHECK_FALSE(inside);  // guarded by the lock, which is ours
  lock.unlock();
  waiter.join();
  CHECK(inside);
}

TEST_CASE("no_lock has the same interface and never waits") {
  no_lock lock;
  const std::scoped_lock guard(lock);
  CHECK(lock.try_lock());
}

}  // namespace
