// tests/stream/scan_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/scan.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <stream/marbles.hpp>

#include <support/penstock_test.hpp>
#include <support/slowly.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

namespace {
const std::vector<int> numbers{1, 2, 3};
result<int> sum_below_three(int sum, int x) {
  if (x == 3) return fail(errc::corrupt, "add", "3");
  return sum + x;
}
task<int> sum_later(int sum, int x) {
  co_await sleep_for(1ms);
  co_return sum + x;
}
task<result<int>> sum_below_three_later(int sum, int x) {
  co_await sleep_for(1ms);
  co_return sum_below_three(sum, x);
}
int sum_throws(int sum, int x) {
  if (x == 3) throw std::string("three");
  return sum + x;
}
}  // namespace

PENSTOCK_TEST("scan() emits the value after each item, driven or pulled") {
  const std::vector<int> expected{1, 3, 6};
  // [scan]
  auto sum = [](int so_far, int x) { return so_far + x; };
  auto driven = co_await (from(numbers) | scan(0, sum) | collect());
  // [/scan]
  CHECK(driven.value() == expected);
  auto pulled = co_await (from(numbers) | support::slowly() | scan(0, sum) | collect());
  CHECK(pulled.value() == expected);
  auto waiting = co_await (from(numbers) | scan(0, sum_later) | collect());
  CHECK(waiting.value() == expected);
  auto none = co_await (from(std::vector<int>()) | scan(7, sum) | collect());
  CHECK(none.value().empty());

  auto read = from(numbers) | scan(0, sum);
  auto one = co_await read.next();
  CHECK(one.value() == 1);
  auto rest = co_await (read | collect());
  CHECK(rest.value() == std::vector<int>{3, 6});
}

PENSTOCK_TEST("an error or exception of scan()'s function is the stream's") {
  auto driven = co_await (from(numbers) | scan(0, sum_below_three) | collect());
  CHECK(driven.error().message() == "add '3': corrupt data");
  auto pulled = co_await (from(numbers) | support::slowly() | scan(0, sum_below_three) | collect());
  CHECK(pulled.error() == errc::corrupt);
  auto waiting = co_await (from(numbers) | scan(0, sum_below_three_later) | collect());
  CHECK(waiting.error() == errc::corrupt);
  std::string caught;
  try {
    auto all = co_await (from(numbers) | scan(0, sum_throws) | collect());
    CHECK(!all);
  } catch (const std::string& s) {
    caught = s;
  }
  CHECK(caught == "three");
}

PENSTOCK_TEST("scan() moves its value through the function and copies what it emits") {
  auto append = [](std::string so_far, std::unique_ptr<int> p) {
    so_far += std::to_string(*p);
    return so_far;
  };
  auto box = [](int x) { return std::make_unique<int>(x); };
  auto texts = co_await (from(numbers) | map(box) | scan(std::string(), append) | collect());
  CHECK(texts.value() == std::vector<std::string>{"1", "12", "123"});
}

PENSTOCK_TEST("fold() makes one value of all items, driven or pulled") {
  // [fold]
  auto sum = [](int so_far, int x) { return so_far + x; };
  auto driven = co_await (from(numbers) | fold(0, sum));
  // [/fold]
  CHECK(driven.value() == 6);
  auto pulled = co_await (from(numbers) | support::slowly() | fold(0, sum));
  CHECK(pulled.value() == 6);
  auto waiting = co_await (from(numbers) | fold(0, sum_later));
  CHECK(waiting.value() == 6);
  auto first = co_await (from(std::vector<int>()) | fold(7, sum));
  CHECK(first.value() == 7);
}

PENSTOCK_TEST("an error or exception of fold()'s function ends the pipeline") {
  auto driven = co_await (from(numbers) | fold(0, sum_below_three));
  CHECK(driven.error().message() == "add '3': corrupt data");
  auto pulled = co_await (from(numbers) | support::slowly() | fold(0, sum_below_three));
  CHECK(pulled.error() == errc::corrupt);
  auto waiting = co_await (from(numbers) | fold(0, sum_below_three_later));
  CHECK(waiting.error() == errc::corrupt);
  std::string caught;
  try {
    auto all = co_await (from(numbers) | fold(0, sum_throws));
    CHECK(!all);
  } catch (const std::string& s) {
    caught = s;
  }
  CHECK(caught == "three");
}

PENSTOCK_TEST("fold() keeps a move-only value, from turn to turn of a long stream too") {
  auto largest = [](std::unique_ptr<int> so_far, int x) {
    if (*so_far < x) *so_far = x;
    return so_far;
  };
  std::vector<int> many(5000, 3);
  many.back() = 8;
  auto most = co_await (from(many) | fold(std::make_unique<int>(0), largest));
  CHECK(*most.value() == 8);
}

PENSTOCK_TEST("a stop drops the value of fold() and what its function works on") {
  test::lifetime_log log;
  auto slow = [](test::lifetime_tracked value, int) -> task<test::lifetime_tracked> {
    co_await sleep_for(1h);
    co_return std::move(value);
  };
  {
    test::lifetime_tracked first(log, 1);
    auto late = co_await with_timeout(1ms, from(numbers) | fold(std::move(first), slow));
    CHECK(late.error() == errc::timed_out);
  }
  CHECK(log.clean());
}

PENSTOCK_TEST("count() counts items, drain() drops them, both to the end of the stream") {
  int seen = 0;
  auto see = [&](int) { ++seen; };
  // [count]
  auto items = co_await (from(numbers) | count());
  // [/count]
  CHECK(items.value() == 3);
  auto pulled = co_await (from(numbers) | support::slowly() | count());
  CHECK(pulled.value() == 3);
  // [drain]
  auto done = co_await (from(numbers) | tap(see) | drain());
  // [/drain]
  CHECK(done);
  CHECK(seen == 3);
  auto pulled_drain = co_await (from(numbers) | support::slowly() | tap(see) | drain());
  CHECK(pulled_drain);
  CHECK(seen == 6);
  auto picky = [](int x) -> result<int> {
    if (x == 2) return fail(errc::corrupt);
    return x;
  };
  auto no_count = co_await (from(numbers) | map(picky) | count());
  CHECK(no_count.error() == errc::corrupt);
  auto not_drained = co_await (from(numbers) | map(picky) | drain());
  CHECK(not_drained.error() == errc::corrupt);
  auto box = [](int x) { return std::make_unique<int>(x); };
  auto boxes = co_await (from(numbers) | map(box) | count());
  CHECK(boxes.value() == 3);
}

namespace {
int digit(char c) { return c - '0'; }
auto numbers_of(std::string_view what_comes) { return marbles::source(what_comes) | map(digit); }
}  // namespace

TEST_CASE("scan() emits the value in the frame of each item, or when its function has ended") {
  const auto sum = [](int so_far, int x) { return so_far + x; };
  const auto sums = [&](std::string_view what_comes, duration busy = 0ms) {
    return played(numbers_of(what_comes) | scan(0, sum), busy);
  };
  CHECK(sums("-1-2-3-|") == "-1-3-6-|");
  CHECK(sums("-1-#") == "-1-#");
  CHECK(sums("---|") == "---|");
  CHECK(sums("123|", 2ms) == "1-3-6-|");
  CHECK(played(numbers_of("11|") | scan(0, sum_later)) == "-1(2|)");
  CHECK(played(numbers_of("1-3-|") | scan(0, sum_below_three)) == "1-#");
}
TEST_CASE("fold(), count() and drain() are over in the frame in which their stream is") {
  using marbles::ended;
  const auto sum = [](int so_far, int x) { return so_far + x; };
  CHECK(ended([&] { return numbers_of("-1-2-3-|") | fold(0, sum); }) == "-------6");
  CHECK(ended([&] { return numbers_of("-1-#") | fold(0, sum); }) == "---#");
  CHECK(ended([&] { return numbers_of("111|") | fold(0, sum_later); }) == "---3");
  CHECK(ended([&] { return numbers_of("1-3-1|") | fold(0, sum_below_three); }) == "--#");
  CHECK(ended([] { return marbles::source("-a-b-c-|") | count(); }) == "-------3");
  CHECK(ended([] { return marbles::source("-a-#") | count(); }) == "---#");
  CHECK(ended([] { return marbles::source("-a-b-c-|") | drain(); }) == "-------|");
  CHECK(ended([] { return marbles::source("-a-#") | drain(); }) == "---#");
}
