// tests/stream/flat_map_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/flat_map.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <stream/marbles.hpp>

#include <support/penstock_test.hpp>
#include <support/slowly.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <ranges>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

namespace {
using numbers = std::vector<int>;
const numbers few{2, 0, 3};
const numbers flat{1, 2, 1, 2, 3};
numbers up_to(int n) {
  numbers all;
  for (int i = 1; i <= n; ++i) all.push_back(i);
  return all;
}
}  // namespace

PENSTOCK_TEST("flat_map() gives all items of each range or stream, driven or pulled") {
  // [flat_map]
  auto count_up = [](int n) { return std::views::iota(1, n + 1); };
  auto driven = co_await (from(few) | flat_map(count_up) | collect());
  // [/flat_map]
  CHECK(driven.value() == flat);
  auto by_vector = co_await (from(few) | flat_map(up_to) | collect());
  CHECK(by_vector.value() == flat);
  auto pulled = co_await (from(few) | support::slowly() | flat_map(up_to) | collect());
  CHECK(pulled.value() == flat);
  auto behind = co_await (from(few) | flat_map(up_to) | support::slowly() | collect());
  CHECK(behind.value() == flat);
  auto streams = [](int n) { return from(up_to(n)); };
  auto by_stream = co_await (from(few) | flat_map(streams) | collect());
  CHECK(by_stream.value() == flat);
  auto slow_streams = [](int n) { return from(up_to(n)) | support::slowly(); };
  auto slow = co_await (from(few) | flat_map(slow_streams) | collect());
  CHECK(slow.value() == flat);
  CHECK(rt.now() == time_point(13ms));
}

PENSTOCK_TEST("flat_map()'s function may fail or wait") {
  auto fallible = [](int n) -> result<numbers> {
    if (n == 0) return fail(errc::corrupt, "open", "0");
    return up_to(n);
  };
  int seen = 0;
  auto see = [&](int) { ++seen; };
  auto driven = co_await (from(few) | flat_map(fallible) | for_each(see));
  CHECK(driven.error().message() == "open '0': corrupt data");
  CHECK(seen == 2);
  auto waits = [](int n) -> task<numbers> {
    co_await sleep_for(1ms);
    co_return up_to(n);
  };
  auto waiting = co_await (from(few) | flat_map(waits) | collect());
  CHECK(waiting.value() == flat);
  auto waits_fallible = [&](int n) -> task<result<numbers>> {
    co_await sleep_for(1ms);
    co_return fallible(n);
  };
  auto failed = co_await (from(few) | flat_map(waits_fallible) | collect());
  CHECK(failed.error() == errc::corrupt);
  auto inner_fails = [](int n) { return concat(from(up_to(n)), fail_with<int>(errc::corrupt)); };
  auto inner = co_await (from(few) | flat_map(inner_fails) | collect());
  CHECK(inner.error() == errc::corrupt);
  auto throws = [](int) -> numbers { throw std::string("no"); };
  std::string caught;
  try {
    auto none = co_await (from(few) | flat_map(throws) | collect());
    CHECK(!none);
  } catch (const std::string& s) {
    caught = s;
  }
  CHECK(caught == "no");
}

PENSTOCK_TEST("flat_map() calls its function when the stream before is through") {
  std::string order;
  auto open = [&](int n) {
    order += "o";
    return up_to(n);
  };
  auto use = [&](int) { order += "u"; };
  auto done = co_await (from(few) | flat_map(open) | for_each(use));
  CHECK(done);
  CHECK(order == "ouuoouuu");

  auto items = from(few) | flat_map(open);
  auto one = co_await (items | take(1) | collect());
  CHECK(one.value() == numbers{1});
  auto two = co_await items.next();
  CHECK(two.value() == 2);
  auto rest = co_await (items | collect());
  CHECK(rest.value() == numbers{1, 2, 3});
  auto end = co_await items.next();
  CHECK(!end.value());

  // take() ends an inner stream with the item that is one too many for the take() behind.
  order.clear();
  auto pairs = [&](int n) {
    order += "o";
    return from(up_to(n)) | take(2);
  };
  auto cut = from(few) | flat_map(pairs);
  auto both = co_await (cut | take(2) | collect());
  CHECK(both.value() == numbers{1, 2});
  CHECK(order == "o");
  auto last = co_await (cut | collect());
  CHECK(last.value() == numbers{1, 2});
}

PENSTOCK_TEST("the item lives as long as the stream that refers to it, and no longer") {
  test::lifetime_log log;
  std::vector<test::lifetime_tracked> items;
  items.reserve(2);
  for (int i : {1, 2}) items.emplace_back(log, i);
  auto refer = [](const test::lifetime_tracked& t) {
    auto value = [&t](int x) { return 10 * t.value() + x; };
    return from(numbers{1, 2}) | map(value);
  };
  auto driven = co_await (from(items) | flat_map(refer) | collect());
  CHECK(driven.value() == numbers{11, 12, 21, 22});
  CHECK(log.live() == 2);
  auto refer_later = [&](const test::lifetime_tracked& t) -> task<decltype(refer(t))> {
    co_await sleep_for(t.value() == 1 ? 1ms : 1h);
    co_return refer(t);
  };
  auto pulled = from(items) | flat_map(refer_later);
  for (int expected : {11, 12}) {
    auto next = co_await pulled.next();
    CHECK(next.value() == expected);
  }
  auto late = co_await with_timeout(10ms, pulled.next());
  CHECK(late.error() == errc::timed_out);
  CHECK(log.live() == 2);  // the item that the function worked on is dropped
  auto end = co_await pulled.next();
  CHECK(!end.value());
}

PENSTOCK_TEST("many items of a few streams all arrive when others get their turns") {
  auto thousands = [](int n) { return std::views::iota(0, n * 1000); };
  auto all = co_await (from(few) | flat_map(thousands) | count());
  CHECK(all.value() == 5000);
  auto nothing = [](int) { return numbers(); };
  auto none = co_await (from(std::views::iota(0, 5000)) | flat_map(nothing) | count());
  CHECK(none.value() == 0);
  auto nested = [](int n) { return from(up_to(n)) | flat_map(up_to); };
  auto cubes = co_await (from(few) | flat_map(nested) | collect());
  CHECK(cubes.value() == numbers{1, 1, 2, 1, 1, 2, 1, 2, 3});
  auto box = [](int x) { return std::make_unique<int>(x); };
  auto two_boxes = [](std::unique_ptr<int> p) {
    std::vector<std::unique_ptr<int>> both;
    both.push_back(std::make_unique<int>(*p + 1));
    both.push_back(std::move(p));
    return both;
  };
  auto boxes = co_await (from(few) | map(box) | flat_map(two_boxes) | collect());
  CHECK(*boxes.value().at(0) == 3);
  CHECK(*boxes.value().at(1) == 2);
}

TEST_CASE("flat_map() emits what each inner stream does, and asks for the next item then") {
  const auto count_up = [](char c) { return std::views::iota(1, c - '0' + 1); };
  const auto all = [&](std::string_view what_comes, duration busy = 0ms) {
    return played(marbles::source(what_comes) | flat_map(count_up), busy);
  };
  CHECK(all("-2-3-|") == "-(12)-(123)-|");
  CHECK(all("-2-#") == "-(12)-#");
  CHECK(all("-0-|") == "---|");
  CHECK(all("23|", 2ms) == "1-2-1-2-3-|");
  // Streams with a time of their own: the second begins when the first has ended.
  const auto inner = [](char c) { return marbles::source(c == 'a' ? "x--y-|" : "-z-#"); };
  CHECK(played(marbles::source("a|") | flat_map(inner)) == "x--y-|");
  CHECK(played(marbles::source("abc|") | flat_map(inner)) == "x--y--z-#");
}
