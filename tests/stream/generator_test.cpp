// tests/stream/generator_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/generator.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync.hpp>
#include <penstock/test.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::canonical;
using marbles::played;

// [generator]
static task<result<int>> ask(int page) {  // of three items; there are two
  co_await sleep_for(1ms);
  if (page > 2) co_return fail(errc::not_found, "page");
  co_return page * 10;
}
static generator<int> all_items(int pages) {
  for (int page = 1; page <= pages; ++page) {
    const int first = co_await ok(ask(page));
    for (int i = 0; i < 3; ++i) co_yield first + i;
  }
}
static task<result<int>> sum_of_items(int pages) {
  int sum = 0;
  auto items = all_items(pages);
  while (auto item = co_await ok(items.next())) sum += *item;
  co_return sum;
}
// [/generator]
TEST_CASE("a generator emits what it yields, and awaits between two items") {
  test::test_runtime rt;
  CHECK(rt.run(sum_of_items(2)).value() == 10 + 11 + 12 + 20 + 21 + 22);
  CHECK(rt.now() == time_point(2ms));
  rt.run([]() -> task<> {
    const std::vector<int> expected{10, 11, 12, 20, 21, 22};
    auto all = co_await (all_items(2) | collect());
    CHECK(*all == expected);
    auto again = co_await (all_items(2) | map_concurrent(2, [](int i) { return i; }) | collect());
    CHECK(*again == expected);
  }());
}
TEST_CASE("a generator: an error that ok() meets is the stream's, and then it has ended") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    auto sum = co_await sum_of_items(3);
    CHECK(sum.error() == errc::not_found);
    auto items = all_items(3);
    for (int i = 0; i < 6; ++i) CHECK(**co_await items.next() == 10 * (1 + i / 3) + i % 3);
    const auto failed = co_await items.next();
    CHECK(failed.error() == errc::not_found);
    CHECK(!*co_await items.next());
    auto all = co_await (all_items(3) | collect());
    CHECK(all.error() == errc::not_found);
  }());
}

static generator<std::unique_ptr<int>> boxes() {
  co_yield std::make_unique<int>(1);
  auto two = std::make_unique<int>(2);
  co_yield std::move(two);
  CHECK(!two);
}
static generator<std::string> texts() {
  const std::string same = "same";
  co_yield same;
  CHECK(same == "same");
  co_await yield();
  co_yield same;
  co_yield "other";
}
TEST_CASE("a generator moves what it can, and copies what it must") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    auto all = co_await (boxes() | collect());
    REQUIRE(all->size() == 2);
    CHECK(*all->at(1) == 2);
    auto some = co_await (texts() | collect());
    CHECK(*some == std::vector<std::string>{"same", "same", "other"});
    auto none = [](int n) -> generator<int> {
      for (int i = 0; i < n; ++i) co_yield i;
    };
    auto empty = co_await (none(0) | collect());
    CHECK(empty->empty());
  }());
}

static generator<int> throws_after(int n, bool waits) {
  for (int i = 0; i < n; ++i) co_yield i;
  if (waits) co_await sleep_for(1ms);
  throw std::runtime_error("thrown");
}
TEST_CASE("a generator's exception passes through") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    for (const bool waits : {false, true}) {
      int seen = 0;
      std::string said;
      const auto note = [&](int) { ++seen; };
      try {
        (void)co_await (throws_after(2, waits) | for_each(note));
      } catch (const std::runtime_error& e) {
        said = e.what();
      }
      CHECK(said == "thrown");
      CHECK(seen == 2);
    }
  }());
}

struct counted {
  int& n;
  explicit counted(int& x) : n(x) { ++n; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --n; }
};
static generator<int> waits_for(event& e, int& alive) {
  const counted here(alive);
  co_yield 1;
  co_await e.wait();
  co_yield 2;
}
TEST_CASE("a stop while a generator awaits ends it, one between two items does not") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    event e;
    int alive = 0;
    {
      auto items = waits_for(e, alive);
      CHECK(**co_await with_timeout(1ms, items.next()) == 1);
      CHECK(alive == 1);
      auto late = co_await with_timeout(1ms, items.next());
      CHECK(late.error() == errc::timed_out);
      CHECK(!*co_await items.next());
      CHECK(alive == 0);
    }
    auto cut = co_await with_timeout(1ms, waits_for(e, alive) | drain());
    CHECK(cut.error() == errc::timed_out);
    CHECK(alive == 0);
    {
      auto unread = waits_for(e, alive);
      CHECK(**co_await unread.next() == 1);
    }
    CHECK(alive == 0);
    auto first = co_await (waits_for(e, alive) | take(1) | collect());
    CHECK(first->size() == 1);
    CHECK(alive == 0);
  }());
}

static generator<int> numbers_up_to(int n) {
  for (int i = 0; i < n; ++i) co_yield i;
}
TEST_CASE("a generator: a pipeline stopped at any step leaves nothing") {
  for (int stop_at = 0; stop_at < 30; ++stop_at) {
    test::test_runtime rt;
    int alive = 0;
    const auto one = [](int& n) -> generator<int> {
      const counted here(n);
      for (int i = 0; i < 5; ++i) {
        co_await sleep_for(1ms);
        co_yield i;
        co_await yield();
      }
    };
    const auto body = [&]() -> task<> {
      auto waits = [](int i) -> task<int> {
        co_await sleep_for(2ms);
        co_return i;
      };
      auto limit = std::chrono::microseconds(500 * stop_at);
      (void)co_await with_timeout(limit, one(alive) | map_concurrent(2, waits) | drain());
    };
    rt.run(body());
    CHECK(alive == 0);
  }
}
TEST_CASE("a generator allocates nothing for an item") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    (void)co_await (numbers_up_to(10'000) | count());
    const test::allocation_counter few;
    (void)co_await (numbers_up_to(10) | count());
    const auto for_few = few.allocations();
    const test::allocation_counter many;
    auto n = co_await (numbers_up_to(10'000) | count());
    CHECK(*n == 10'000);
    CHECK(many.allocations() == for_few);
  }());
}

namespace {
// a, b, each after 2 ms; then the end, or an error.
generator<char> letters(result<> end = {}) {
  for (const char c : {'a', 'b'}) {
    co_await sleep_for(2ms);
    co_yield c;
  }
  co_await sleep_for(2ms);
  co_await ok(end);
}
generator<char> nothing() { co_return; }
}  // namespace
TEST_CASE("a generator runs when it is pulled, up to the next item") {
  CHECK(played(letters()) == "--a-b-|");
  CHECK(played(letters(fail(errc::corrupt, "letter"))) == "--a-b-#");
  CHECK(played(letters(), 3ms) == "--a----b----|");
  CHECK(played(nothing()) == "|");
}

// [yield_named]
struct reading {
  std::string sensor;
  double value;
};
static generator<reading> readings(std::vector<std::string> sensors) {
  for (std::string& name : sensors) {
    reading now{std::move(name), 21.5};
    co_yield std::move(now);
  }
}
// [/yield_named]
TEST_CASE("a generator of aggregates") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<std::string> sensors{"a sensor with a long name", "b"};
    auto all = co_await (readings(sensors) | collect());
    REQUIRE(all->size() == 2);
    CHECK(all->at(0).sensor == "a sensor with a long name");
    CHECK(all->at(1).value == 21.5);
  }());
}
TEST_CASE("a generator runs in the environment of the one that pulls") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const auto left = []() -> generator<duration> {
      for (;;) {
        const auto until = co_await this_task::deadline();
        const auto now = co_await this_task::now();
        co_yield until - now;
      }
    };
    auto asked = left();
    auto first = co_await with_timeout(5ms, asked.next());
    CHECK(**first == 5ms);
    auto second = co_await with_timeout(1s, asked.next());
    CHECK(**second == 1s);
  }());
}
