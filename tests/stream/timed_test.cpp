// tests/stream/timed_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/chunk_within.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>
#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::canonical;
using marbles::played;

// [chunk_within]
static std::string in_threes(std::string_view what_comes, duration busy = 0ms) {
  return played(marbles::source(what_comes) | chunk_within(3, 5ms), busy);
}
// [/chunk_within]
TEST_CASE("chunk_within() emits when it is full, or when its first item is old enough") {
  CHECK(in_threes("-a-b-c------d-----|") == canonical("-----[abc]-----------[d]|"));
  CHECK(in_threes("-a-b-c------d-|") == canonical("-----[abc]--------([d]|)"));
  CHECK(in_threes("abcdefg|") == canonical("--[abc]--[def]-([g]|)"));
  CHECK(in_threes("a-----b-----|") == canonical("-----[a]-----[b]|"));
  CHECK(in_threes("----------|") == canonical("----------|"));
  CHECK(in_threes("ab--#") == canonical("----#"));
}
TEST_CASE("chunk_within(): a chunk grows while the consumer is busy, and none is empty") {
  CHECK(in_threes("abcd--------|", 10ms) == canonical("--[abc]---------[d]---------|"));
  // ST5: a slow consumer loses nothing, and no chunk is larger than it may be.
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::vector<int> numbers(5000);
    std::iota(numbers.begin(), numbers.end(), 0);
    const auto some_wait = [](int i) -> task<int> {
      if (i % 97 == 0) co_await sleep_for(50ms);
      co_return i;
    };
    std::vector<int> seen;
    std::size_t largest = 0;
    const auto slow = [&](std::vector<int> chunk) -> task<> {
      CHECK(!chunk.empty());
      largest = chunk.size() > largest ? chunk.size() : largest;
      seen.insert(seen.end(), chunk.begin(), chunk.end());
      co_await sleep_for(300ms);
    };
    auto done =
        co_await (from(numbers) | map(some_wait) | chunk_within(400, 200ms) | for_each(slow));
    CHECK(done);
    CHECK(largest == 400);
    CHECK(seen == numbers);
  }());
}

// [debounce]
static std::string after_a_pause(std::string_view what_comes, duration busy = 0ms) {
  return played(marbles::source(what_comes) | debounce(3ms), busy);
}
// [/debounce]
TEST_CASE("debounce() emits an item that no other one follows soon") {
  CHECK(after_a_pause("-a-bc-----d-------|") == canonical("-------c-----d----|"));
  CHECK(after_a_pause("-a-bc-----d|") == canonical("-------c---(d|)"));
  CHECK(after_a_pause("abcdefgh#") == canonical("--------#"));
  CHECK(after_a_pause("a|") == canonical("-(a|)"));
  CHECK(after_a_pause("----|") == canonical("----|"));
  CHECK(after_a_pause("a----b-----c-----|", 20ms) ==
        canonical("---a-------------------c-------------------|"));
}

// [idle_timeout]
static std::string in_time(std::string_view what_comes, duration busy = 0ms) {
  return played(marbles::source(what_comes) | idle_timeout(5ms), busy);
}
// [/idle_timeout]
TEST_CASE("idle_timeout() fails a stream that says nothing for too long") {
  CHECK(in_time("-a-b-----------") == canonical("-a-b----#"));
  CHECK(in_time("-a---b----c|") == canonical("-a---b----c|"));
  CHECK(in_time("-----------------") == canonical("-----#"));
  CHECK(in_time("a#") == canonical("a#"));
  // The consumer's time does not count.
  CHECK(in_time("a---b--|", 20ms) == canonical("a-------------------b-------------------|"));
}
TEST_CASE("idle_timeout(): an error that comes without a wait is there at once") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<int> numbers{1, 2, 3};
    const auto picky = [](int x) -> result<> {
      if (x == 2) return fail(errc::corrupt);
      return {};
    };
    auto done = co_await (from(numbers) | tap(picky) | idle_timeout(1h) | drain());
    CHECK(done.error() == errc::corrupt);
    const auto at = co_await this_task::now();
    CHECK(at == time_point());
  }());
}

// [throttle]
static std::string slowed_down(std::string_view what_comes, throttle_options o = {}) {
  return played(marbles::source(what_comes) | throttle(rate{1, 2ms}, o));
}
// [/throttle]
TEST_CASE("throttle() spaces items, and lets a burst through after a pause") {
  CHECK(slowed_down("(abcd)|") == canonical("a-b-c-(d|)"));
  CHECK(slowed_down("a---b---|") == canonical("a---b---|"));
  CHECK(slowed_down("(abcd)-----(ef)|", {.burst = 3}) == canonical("(abc)-d---(ef)|"));
  CHECK(slowed_down("(ab)#") == canonical("a-(b#)"));
  CHECK(slowed_down("a-(bc)-|", {.mode = throttle_mode::enforcing}) == canonical("a-(b#)"));
}
TEST_CASE("throttle(): 90 in a minute are 90 in every minute") {
  // ST7: shaped, as RL1 has it.
  test::test_runtime rt;
  rt.run([]() -> task<> {
    std::vector<int> numbers(181);
    std::vector<time_point> at;
    const auto note = [&](int) -> task<> { at.push_back(co_await this_task::now()); };
    auto done = co_await (from(numbers) | throttle(per_minute(90)) | for_each(note));
    CHECK(done);
    CHECK(at.back() - at.front() == 120s);
    for (std::size_t i = 0; i + 90 < at.size(); ++i) CHECK(at[i + 90] - at[i] >= 60s);
  }());
}
TEST_CASE("throttle(): a next() that is stopped leaves the item for the next one") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<int> numbers{1, 2};
    auto s = from(numbers) | throttle(rate{1, 10ms});
    CHECK(**co_await s.next() == 1);
    auto early = co_await with_timeout(3ms, s.next());
    CHECK(early.error() == errc::timed_out);
    CHECK(**co_await s.next() == 2);
    CHECK(!*co_await s.next());
  }());
}
TEST_CASE("throttle(): an item with which a stage before it fails or throws is gone") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const std::vector<int> numbers{1, 2, 3, 4};
    const auto picky = [](int x) -> result<> {
      if (x == 2) return fail(errc::corrupt);
      if (x == 3) throw std::string("three");
      return {};
    };
    auto s = from(numbers) | tap(picky) | throttle(rate{1, 1ms});
    CHECK(**co_await s.next() == 1);
    auto failed = co_await s.next();
    CHECK(failed.error() == errc::corrupt);
    bool thrown = false;
    try {
      static_cast<void>(co_await s.next());
    } catch (const std::string&) {
      thrown = true;
    }
    CHECK(thrown);
    CHECK(**co_await s.next() == 4);
    CHECK(!*co_await s.next());
  }());
}

TEST_CASE("options that cannot work are refused") {
  const auto message = [](auto stage) {
    test::test_runtime rt;
    std::string text;
    auto body = [&]() -> task<> {
      const std::vector<char> items{'a'};
      auto done = co_await (from(items) | std::move(stage) | drain());
      text = done.error().message();
    };
    rt.run(body());
    return text;
  };
  CHECK(message(chunk_within(0, 1ms)) == "chunk_within '0 items': invalid option");
  CHECK(message(chunk_within(1, 0ms)) == "chunk_within 'no time': invalid option");
  CHECK(message(debounce(-1ms)) == "debounce 'no time': invalid option");
  CHECK(message(idle_timeout(0ms)) == "idle_timeout 'no time': invalid option");
  CHECK(message(throttle(rate{0, 1s})) == "rate 'count': invalid option");
  CHECK(message(throttle(per_second(1), {.burst = 0})) == "throttle 'burst': invalid option");
}

TEST_CASE("throttle(): a consumer that is slower than the rate is not held up") {
  CHECK(played(marbles::source("(abc)|") | throttle(rate{1, 2ms}), 3ms) == "a--b--c--|");
}
