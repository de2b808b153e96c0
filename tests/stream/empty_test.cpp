// tests/stream/empty_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/empty.hpp>

#include <penstock/core/with_timeout.hpp>
#include <penstock/stream.hpp>

#include <stream/marbles.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

static_assert(std::is_same_v<stream_value_t<decltype(empty<int>())>, int>);
static_assert(std::is_same_v<stream_value_t<decltype(never<char>())>, char>);

PENSTOCK_TEST("empty() has no items and ends at once") {
  // [empty]
  auto none = co_await (empty<int>() | count());
  // [/empty]
  CHECK(none.value() == 0);
  auto read = empty<std::unique_ptr<int>>();
  auto end = co_await read.next();
  CHECK(!end.value());
}

PENSTOCK_TEST("never() waits until it is stopped, and takes no timer") {
  // [never]
  auto late = co_await with_timeout(1h, never<int>() | count());
  // [/never]
  CHECK(late.error() == errc::timed_out);
  CHECK(rt.now() == time_point(1h));
  auto read = never<int>();
  for (int i = 0; i < 2; ++i) {
    auto next = co_await with_timeout(1ms, read.next());
    CHECK(next.error() == errc::timed_out);
  }
}

PENSTOCK_TEST("fail_with() fails each time it is pulled") {
  // [fail_with]
  auto failed = co_await (fail_with<int>(errc::not_found) | count());
  // [/fail_with]
  CHECK(failed.error() == errc::not_found);
  auto read = fail_with<int>(error(errc::corrupt).with("read", "x"));
  for (int i = 0; i < 2; ++i) {
    auto next = co_await read.next();
    CHECK(next.error().message() == "read 'x': corrupt data");
  }
}

TEST_CASE("empty(), never() and fail_with() on the clock") {
  CHECK(played(empty<char>()) == "|");
  CHECK(played(fail_with<char>(errc::not_found)) == "#");
  CHECK(played(never<char>() | idle_timeout(5ms)) == "-----#");
  CHECK(played(merge(never<char>(), marbles::source("-a-#"))) == "-a-#");
}
