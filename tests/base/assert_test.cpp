// tests/base/assert_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/assert.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

struct caught {
  std::string file, function, expression, message;
  int line = 0;
};
void throw_it(const penstock::assert_failure& f) {
  throw caught{f.file, f.function, f.expression, f.message, f.line};
}

struct with_handler {
  penstock::assert_handler before = penstock::set_assert_handler(&throw_it);
  ~with_handler() { penstock::set_assert_handler(before); }
};

constexpr int checked_half(int n) {
  PENSTOCK_ASSERT(n % 2 == 0, "an even number");
  return n / 2;
}
static_assert(checked_half(8) == 4, "a condition that holds is a constant expression");

TEST_CASE("a contract that holds evaluates its condition once and does nothing else") {
  const with_handler handler;
  int evaluated = 0;
  PENSTOCK_ASSERT(++evaluated == 1, "once");
  CHECK(evaluated == 1);
}

TEST_CASE("a broken contract tells the handler where, what and why") {
  const with_handler handler;
  try {
    checked_half(7);
    FAIL("the handler was not called");
  } catch (const caught& c) {
    CHECK(c.file.ends_with("assert_test.cpp"));
    CHECK(c.line > 0);
    CHECK(c.function == "checked_half");
    CHECK(c.expression == "n % 2 == 0");
    CHECK(c.message == "an even number");
  }
}

TEST_CASE("a program with invalid options is stopped with their name") {
  const with_handler handler;
  try {
    penstock::detail::stop_program("semaphore: count is 0");
  } catch (const caught& c) {
    CHECK(c.expression.empty());
    CHECK(c.message == "semaphore: count is 0");
  }
}

TEST_CASE("set_assert_handler gives the one before, and null restores the default") {
  const auto first = penstock::set_assert_handler(&throw_it);
  const bool same = penstock::set_assert_handler(nullptr) == &throw_it;
  CHECK(same);
  const bool restored =
      penstock::set_assert_handler(first) == &penstock::detail::print_assert_failure;
  CHECK(restored);
}

}  // namespace
