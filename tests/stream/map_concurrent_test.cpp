// tests/stream/map_concurrent_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/map_concurrent.hpp>

#include <penstock/core/offload.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <penstock/test/replace_new.hpp>
#include <penstock/test/seeds.hpp>
#include <penstock/test/test_runtime.hpp>

#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

using namespace penstock;
using namespace std::chrono_literals;

namespace {

std::vector<int> first_numbers(int n) {
  std::vector<int> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

// Counts what is in flight between two points.
struct gauge {
  int now = 0, peak = 0;
  void enter() { peak = std::max(peak, ++now); }
  void leave() { --now; }
};

}  // namespace

TEST_CASE("ST3: order is kept and at most n are in flight, whatever the delays") {
  for (auto seed : test::seeds(50)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    rt.run([]() -> task<> {
      gauge calls;
      auto& rng = co_await this_task::random();
      auto slow = [&](int x) -> task<int> {
        calls.enter();
        co_await sleep_for(duration(rng.uniform_int(0, 1000)));
        calls.leave();
        co_return x;
      };
      const auto numbers = first_numbers(100);
      auto all = co_await (from(numbers) | map_concurrent(3, slow) | collect());
      CHECK(all.value() == numbers);
      CHECK(calls.peak == 3);
    }());
  }
}

TEST_CASE("ST1: what was read and not yet written is bounded by the number of places") {
  for (auto seed : test::seeds(20)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    rt.run([]() -> task<> {
      gauge held;
      auto& rng = co_await this_task::random();
      auto read = [&](int) { held.enter(); };
      auto work = [&](int x) -> task<int> {
        co_await sleep_for(duration(rng.uniform_int(0, 100)));
        co_return x;
      };
      auto write = [&](int) -> task<> {
        co_await sleep_for(duration(rng.uniform_int(0, 200)));
        held.leave();
      };
      auto done = co_await (from(first_numbers(200)) | tap(read) | map_concurrent(4, work) |
                            for_each(write));
      CHECK(done);
      CHECK(held.now == 0);
      CHECK(held.peak <= 4 + 1);  // the places, and what is being written
    }());
  }
}

TEST_CASE("ST6: a consumer that waits does not stall what is in flight") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    auto started = co_await this_task::now();
    std::vector<duration> ends;
    auto work = [&](int x) -> task<int> {
      co_await sleep_for(std::chrono::milliseconds(10 + x));
      auto now = co_await this_task::now();
      ends.push_back(now - started);
      co_return x;
    };
    auto body = [](int) { return sleep_for(1s); };
    auto done = co_await (from(first_numbers(10)) | map_concurrent(10, work) | for_each(body));
    CHECK(done);
    CHECK(ends.size() == 10);
    for (auto e : ends) CHECK(e < 40ms);
  }());
}

TEST_CASE("ST6: the source is read on while the consumer waits, as far as there is room") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    int read = 0;
    auto slow_read = [&](int x) -> task<int> {
      co_await sleep_for(1ms);
      ++read;
      co_return x;
    };
    auto same = [](int x) -> task<int> { co_return x; };
    std::vector<int> read_before;
    auto body = [&](int) -> task<> {
      co_await sleep_for(100ms);
      read_before.push_back(read);
    };
    auto done = co_await (from(first_numbers(8)) | map(slow_read) | map_concurrent(3, same) |
                          for_each(body));
    CHECK(done);
    CHECK(read_before == std::vector<int>{4, 5, 6, 7, 8, 8, 8, 8});
  }());
}

TEST_CASE("several eager stages run at the same time") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    auto slow = [](int x) -> task<int> {
      co_await sleep_for(10ms);
      co_return x + 1;
    };
    auto all = co_await (from(first_numbers(20)) | map_concurrent(2, slow) |
                         map_concurrent(2, slow) | map_concurrent(2, slow) | collect());
    CHECK(all.value().front() == 3);
    CHECK(all.value().back() == 22);
    auto at = co_await this_task::now();
    CHECK(at.time_since_epoch() == 120ms);  // 10 rounds of the slowest, and the depth
  }());
}

TEST_CASE("the rate is that of n calls at once") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    auto slow = [](int x) -> task<int> {
      co_await sleep_for(10ms);
      co_return x;
    };
    int count = 0;
    auto body = [&](int) { ++count; };
    auto done = co_await (from(first_numbers(100'000)) | map_concurrent(64, slow) | for_each(body));
    CHECK(done);
    CHECK(count == 100'000);
    auto at = co_await this_task::now();
    CHECK(at.time_since_epoch() == 15'630ms);  // 100,000 / 64 are 1562.5 times 10 ms
  }());
}

TEST_CASE("a function that does not wait, one that is over at once, and leaves are fine too") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const auto numbers = first_numbers(10);
    auto plain = [](int x) { return x; };
    auto fallible = [](int x) -> result<int> { return x; };
    auto at_once = [](int x) -> task<int> { co_return x; };
    auto elsewhere = [](int x) { return offload([x] { return x; }, {.virtual_cost = 1ms}); };
    auto timed = [&](int x) { return with_timeout(1s, at_once(x)); };
    auto all = co_await (from(numbers) | map_concurrent(2, plain) | map_concurrent(3, fallible) |
                         map_concurrent(1, at_once) | map_concurrent(4, elsewhere) |
                         map_concurrent(2, timed) | collect());
    CHECK(all.value() == numbers);
  }());
}

TEST_CASE("an error stops the siblings at once, waits for them, and nothing comes after it") {
  for (auto seed : test::seeds(50)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    rt.run([]() -> task<> {
      int begun = 0, unwound = 0, seen = 0, reads = 0;
      auto read = [&](int) { ++reads; };
      auto work = [&](int x) -> task<result<int>> {
        ++begun;
        scope_exit note{[&] { ++unwound; }};
        co_await sleep_for(x == 5 ? 1ms : 10ms);
        if (x == 5) co_return fail(errc::corrupt, "work", "5");
        co_return x;
      };
      auto body = [&](int) { ++seen; };
      auto outcome = co_await (from(first_numbers(100)) | tap(read) | map_concurrent(8, work) |
                               for_each(body));
      CHECK(outcome.error().message() == "work '5': corrupt data");
      CHECK(begun == 8);
      CHECK(unwound == 8);
      CHECK(seen == 0);
      CHECK(reads == 8);
      auto at = co_await this_task::now();
      CHECK(at.time_since_epoch() == 1ms);
    }());
  }
}

TEST_CASE("ST2: a sink that fails half way ends all; the reader is at most n ahead") {
  for (auto seed : test::seeds(20)) {
    CAPTURE(seed);
    test::test_runtime rt{{.seed = seed}};
    rt.run([]() -> task<> {
      int read = 0, written = 0;
      gauge calls;
      auto count = [&](int) { ++read; };
      auto work = [&](int x) -> task<int> {
        calls.enter();
        scope_exit leave{[&] { calls.leave(); }};
        co_await sleep_for(1ms);
        co_return x;
      };
      auto write = [&](int) -> task<result<>> {
        co_await sleep_for(1ms);
        if (++written == 50) co_return fail(std::errc::no_space_on_device);
        co_return {};
      };
      auto outcome = co_await (from(first_numbers(100)) | tap(count) | map_concurrent(3, work) |
                               for_each(write));
      CHECK(outcome.error() == std::errc::no_space_on_device);
      CHECK(written == 50);
      CHECK(read <= 50 + 3);
      CHECK(calls.now == 0);
    }());
  }
}

TEST_CASE("an exception stops the siblings and passes through") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    int unwound = 0;
    auto work = [&](int x) -> task<int> {
      scope_exit note{[&] { ++unwound; }};
      co_await sleep_for(std::chrono::milliseconds(x));
      if (x == 2) throw 42;
      co_return x;
    };
    int caught = 0;
    try {
      auto all = co_await (from(first_numbers(4)) | map_concurrent(4, work) | collect());
      CHECK(!all);
    } catch (int e) {
      caught = e;
    }
    CHECK(caught == 42);
    CHECK(unwound == 4);
  }());
}

TEST_CASE("a function that throws before it waits stops what is in flight") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    int unwound = 0;
    auto slow = [&](int x) -> task<int> {
      scope_exit note{[&] { ++unwound; }};
      co_await sleep_for(1h);
      co_return x;
    };
    auto work = [&](int x) {
      if (x == 3) throw 42;
      return slow(x);
    };
    int caught = 0;
    try {
      auto all = co_await (from(first_numbers(5)) | map_concurrent(4, work) | collect());
      CHECK(!all);
    } catch (int e) {
      caught = e;
    }
    CHECK(caught == 42);
    // They were posted, not begun, when the stop came; those that were begun are unwound.
    CHECK(unwound <= 3);
  }());
}

TEST_CASE("zero at once is refused") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    int calls = 0;
    auto work = [&](int x) {
      ++calls;
      return x;
    };
    auto outcome = co_await (from(first_numbers(4)) | map_concurrent(0, work) | collect());
    CHECK(outcome.error() == errc::invalid_option);
    CHECK(outcome.error().message().find("map_concurrent") != std::string::npos);
    CHECK(calls == 0);
  }());
}

TEST_CASE("a stop at any step ends all that was begun, leaks nothing and is reported once") {
  for (auto seed : test::seeds(5)) {
    std::uint64_t k = 0;
    for (bool completed = false; !completed;) {
      ++k;
      CAPTURE(seed);
      CAPTURE(k);
      test::lifetime_log log;
      test::test_runtime rt{{.seed = seed, .stop_at_step = k}};
      int live = 0;
      auto run = [](test::lifetime_log& life, int& alive) -> task<result<std::size_t>> {
        auto make = [&](int x) { return test::lifetime_tracked(life, x); };
        auto work = [&](test::lifetime_tracked t) -> task<result<test::lifetime_tracked>> {
          ++alive;
          scope_exit note{[&] { --alive; }};
          co_await sleep_for(std::chrono::milliseconds(t.value() % 3));
          co_await yield();
          co_return std::move(t);
        };
        auto look = [](const test::lifetime_tracked&) { return sleep_for(1ms); };
        auto all = co_await ok(from(first_numbers(6)) | map(make) | map_concurrent(2, work) |
                               tap(look) | map_concurrent(2, work) | collect());
        co_return all.size();
      };
      auto outcome = rt.run(run(log, live));
      completed = outcome.has_value();
      if (completed)
        CHECK(*outcome == 6);
      else
        CHECK(outcome.error() == errc::canceled);
      CHECK(live == 0);
      CHECK(log.clean());
    }
    CHECK(k > 20);
  }
}

TEST_CASE("a deadline around a pipeline unwinds its calls") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    int unwound = 0;
    auto work = [&](int x) -> task<int> {
      scope_exit note{[&] { ++unwound; }};
      co_await sleep_for(1h);
      co_return x;
    };
    auto outcome =
        co_await with_timeout(5ms, from(first_numbers(10)) | map_concurrent(4, work) | collect());
    CHECK(outcome.error() == errc::timed_out);
    CHECK(unwound == 4);
  }());
}

TEST_CASE("allocations do not depend on the number of items") {
  if (!test::allocation_counter::available()) return;
  const auto allocations_for = [](int items) {
    const auto numbers = first_numbers(items);
    std::uint64_t counted = 0;
    test::test_runtime rt;
    auto run = [&]() -> task<> {
      auto slow = [](int x) -> task<int> {
        co_await sleep_for(1ms);
        co_return x;
      };
      auto twice = [](int x) { return 2 * x; };
      auto leaf = [](int) { return yield(); };
      long sum = 0;
      auto add = [&](int x) { sum += x; };
      for (int round = 0; round < 2; ++round) {
        test::allocation_counter count;
        auto done = co_await (from(numbers) | map(twice) | map_concurrent(8, slow) | tap(leaf) |
                              for_each(add));
        CHECK(done);
        counted = count.total();
      }
    };
    rt.run(run());
    return counted;
  };
  const auto few = allocations_for(100);
  const auto many = allocations_for(10'000);
  CHECK(few == 1);  // the places of map_concurrent
  CHECK(many == few);
}

// [map_concurrent]
static task<result<char>> answer(char question) {
  co_await sleep_for(question == 'a' ? 5ms : 1ms);
  if (question == '!') co_return fail(errc::corrupt, "answer");
  co_return question;
}
static std::string answers(std::size_t at_once, std::string_view questions, duration busy = 0ms) {
  return marbles::played(marbles::source(questions) | map_concurrent(at_once, answer), busy);
}
// [/map_concurrent]
TEST_CASE("map_concurrent(): a slow call holds those behind it, and n of them the source") {
  CHECK(answers(3, "-a-b-c-|") == "------(abc)|");
  CHECK(answers(2, "-a-b-c-|") == "------(ab)(c|)");
  CHECK(answers(3, "-b-a---c|") == "--b-----(ac|)");
  CHECK(answers(2, "---|") == "---|");
  CHECK(answers(2, "-b-#") == "--b#");
  CHECK(answers(3, "-a-!-b-|") == "----#");  // a is stopped
  // The calls go on while the consumer is busy: what is done waits.
  CHECK(answers(2, "bcd|", 4ms) == "-b---c---d---|");
}
