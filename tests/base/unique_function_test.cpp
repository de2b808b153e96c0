// tests/base/unique_function_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/unique_function.hpp>

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <penstock/base/random.hpp>

namespace {

using penstock::unique_function;

static_assert(std::is_nothrow_move_constructible_v<unique_function<void()>>);
static_assert(std::is_nothrow_move_assignable_v<unique_function<void()>>);
static_assert(!std::is_copy_constructible_v<unique_function<void()>>);
static_assert(std::is_constructible_v<unique_function<int(int)>, int (*)(int)>);
static_assert(!std::is_constructible_v<unique_function<int(int)>, int (*)(std::string)>);
static_assert(!std::is_constructible_v<unique_function<int()>, std::string>);
static_assert(sizeof(unique_function<void()>) == 4 * sizeof(void*));

int twice(int n) { return 2 * n; }
struct counter {
  int n = 0;
  int add(int k) { return n += k; }
};

TEST_CASE("it calls functions, closures, members and what only moves") {
  unique_function<int(int)> f = twice;
  CHECK(f(4) == 8);
  f = [k = std::make_unique<int>(3)](int n) { return n + *k; };
  CHECK(f(4) == 7);
  unique_function<int(counter&, int)> add = &counter::add;
  counter c;
  CHECK(add(c, 5) == 5);
  CHECK(c.n == 5);
  unique_function<std::unique_ptr<int>(std::unique_ptr<int>)> pass = [](std::unique_ptr<int> p) {
    return p;
  };
  CHECK(*pass(std::make_unique<int>(9)) == 9);
  unique_function<void()> ignores = [] { return 5; };
  ignores();
}

TEST_CASE("state changes from call to call") {
  unique_function<int()> next = [n = 0]() mutable { return ++n; };
  next();
  unique_function<int()> moved = std::move(next);
  CHECK(moved() == 2);
  CHECK_FALSE(next);
}

TEST_CASE("empty is empty, whatever it was made from") {
  unique_function<int(int)> f;
  CHECK_FALSE(f);
  CHECK(f == nullptr);
  int (*none)(int) = nullptr;
  f = none;
  CHECK_FALSE(f);
  f = twice;
  CHECK(f);
  f = nullptr;
  CHECK_FALSE(f);
}

TEST_CASE("calling an empty one asserts") {
  struct broken {};
  const auto before = penstock::set_assert_handler([](const auto&) { throw broken(); });
  unique_function<void()> f;
  CHECK_THROWS_AS(f(), broken);
  penstock::set_assert_handler(before);
}

TEST_CASE("small and large callables live and die once, through any moves") {
  auto small = std::make_shared<int>(1);
  auto large = std::make_shared<int>(2);
  {
    std::vector<unique_function<int()>> all(6);
    penstock::random_engine random(2);
    for (int step = 0; step < 2000; ++step) {
      auto& to = all[static_cast<std::size_t>(random.uniform_int(0, 5))];
      auto& from = all[static_cast<std::size_t>(random.uniform_int(0, 5))];
      switch (random.uniform_int(0, 4)) {
        case 0:
          to = [small] { return *small; };
          break;
        case 1:
          to = [large, padding = std::array<long, 8>{}] {
            return *large + static_cast<int>(padding[7]);
          };
          break;
        case 2:
          to = std::move(from);
          break;
        case 3:
          std::swap(to, from);
          break;
        case 4:
          to = nullptr;
          break;
      }
      int live = 0;
      for (auto& f : all) live += f ? (f() > 0 ? 1 : 100) : 0;
      REQUIRE(live == small.use_count() + large.use_count() - 2);
    }
  }
  CHECK(small.use_count() == 1);
  CHECK(large.use_count() == 1);
}

struct throws_when_moved {
  throws_when_moved() = default;
  throws_when_moved(const throws_when_moved&) = default;
  throws_when_moved(throws_when_moved&&) noexcept(false) {}
  int operator()() const { return 1; }
};

TEST_CASE("a callable whose move may throw goes to the heap, so that moving never throws") {
  const throws_when_moved callable;
  unique_function<int()> f = callable;
  unique_function<int()> g = std::move(f);
  CHECK(g() == 1);
}

TEST_CASE("exceptions of the callable pass through") {
  unique_function<void()> f = [] { throw 5; };
  CHECK_THROWS_AS(f(), int);
  CHECK(f);
}

}  // namespace
