// tests/core/task_allocator_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/task.hpp>

#include <penstock/core/with_group.hpp>
#include <penstock/core/yield.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <new>
#include <stdexcept>

using namespace penstock;

namespace {
struct arena {
  int live = 0;
  int total = 0;
  bool full = false;
};
// Counts in an arena; remembers nothing else.
template <class T>
struct counting {
  using value_type = T;
  explicit counting(arena& a) noexcept : where(&a) {}
  template <class U>
  counting(const counting<U>& o) noexcept : where(o.where) {}
  T* allocate(std::size_t n) {
    if (where->full) throw std::bad_alloc();
    ++where->live;
    ++where->total;
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, std::size_t n) noexcept {
    --where->live;
    std::allocator<T>().deallocate(p, n);
  }
  template <class U>
  bool operator==(const counting<U>& o) const noexcept {
    return where == o.where;
  }
  arena* where;
};
using bytes = counting<std::byte>;

task<int> plain(std::allocator_arg_t, bytes, int x) {
  co_await yield();
  co_return x;
}
task<int> by_reference(std::allocator_arg_t, const bytes&, int x) { co_return x; }
struct object {
  int base = 1;
  task<int> member(std::allocator_arg_t, bytes, int x) {
    co_await yield();
    co_return base + x;
  }
  task<int> constant(std::allocator_arg_t, bytes, int x) const { co_return base + x; }
};
task<int> pooled(std::allocator_arg_t, std::pmr::polymorphic_allocator<>, int x) { co_return x; }
task<> thrower(std::allocator_arg_t, bytes) {
  co_await yield();
  throw std::runtime_error("thrown");
}
}  // namespace

PENSTOCK_TEST("a free function's frame comes from the allocator after allocator_arg") {
  arena a;
  {
    auto t = plain(std::allocator_arg, bytes(a), 7);
    CHECK(a.live == 1);
    CHECK(co_await std::move(t) == 7);
    CHECK(a.live == 0);
  }
  CHECK(co_await by_reference(std::allocator_arg, bytes(a), 8) == 8);
  CHECK(a.total == 2);
  CHECK(a.live == 0);
}

PENSTOCK_TEST("so does a member function's") {
  arena a;
  object o;
  CHECK(co_await o.member(std::allocator_arg, bytes(a), 1) == 2);
  CHECK(co_await o.constant(std::allocator_arg, bytes(a), 2) == 3);
  CHECK(a.total == 2);
  CHECK(a.live == 0);
}

PENSTOCK_TEST("so does a lambda's") {
  arena a;
  int captured = 10;
  const auto fn = [&captured](std::allocator_arg_t, bytes, int x) -> task<int> {
    co_await yield();
    co_return captured + x;
  };
  CHECK(co_await fn(std::allocator_arg, bytes(a), 1) == 11);
  CHECK(a.total == 1);
  CHECK(a.live == 0);
}

PENSTOCK_TEST("a polymorphic allocator works, with an alignment of its own") {
  std::byte room[4096];
  std::pmr::monotonic_buffer_resource memory(room, sizeof room, std::pmr::null_memory_resource());
  CHECK(co_await pooled(std::allocator_arg, &memory, 3) == 3);
}

PENSTOCK_TEST("frames go back when the task throws, is stopped, or is never awaited") {
  arena a;
  CHECK_THROWS_AS(test::test_runtime().run(thrower(std::allocator_arg, bytes(a))),
                  std::runtime_error);
  { auto t = plain(std::allocator_arg, bytes(a), 1); }
  CHECK(a.live == 0);
  co_await with_group([&](task_group& group) -> task<> {
    group.start(plain(std::allocator_arg, bytes(a), 1));
    group.request_stop();
    co_return;
  });
  CHECK(a.live == 0);
}

PENSTOCK_TEST("an allocator that throws leaves nothing behind") {
  arena a;
  a.full = true;
  bool threw = false;
  try {
    co_await plain(std::allocator_arg, bytes(a), 1);
  } catch (const std::bad_alloc&) {
    threw = true;
  }
  CHECK(threw);
  CHECK(a.live == 0);
}
