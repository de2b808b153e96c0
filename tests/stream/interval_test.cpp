// tests/stream/interval_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/interval.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/stream.hpp>

#include <stream/marbles.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

namespace {
// When the ticks come to a consumer that works 25 ms on the first one, and not on the others.
template <class Options>
task<std::vector<std::int64_t>> times_of(test::test_runtime& rt, Options options) {
  std::vector<std::int64_t> times;
  const auto start = rt.now();
  auto note = [&](std::uint64_t tick) -> task<> {
    times.push_back((rt.now() - start) / 1ms);
    if (tick == 0) co_await sleep_for(25ms);
  };
  auto done = co_await (interval(10ms, options) | take(5) | for_each(note));
  CHECK(done);
  co_return times;
}
using times = std::vector<std::int64_t>;
}  // namespace

PENSTOCK_TEST("interval() ticks each period, the first time at once or after one") {
  std::vector<time_point> at;
  auto note = [&](std::uint64_t) { at.push_back(rt.now()); };
  // [interval]
  auto ticks = co_await (interval(10ms) | tap(note) | take(3) | collect());
  // [/interval]
  CHECK(ticks.value() == std::vector<std::uint64_t>{0, 1, 2});
  const std::vector<time_point> expected{time_point(0ms), time_point(10ms), time_point(20ms)};
  CHECK(at == expected);
  const interval_options later{.first = first_tick::after_a_period};
  auto one = interval(10ms, later);
  auto first = co_await one.next();
  CHECK(first.value() == 0);
  CHECK(rt.now() == time_point(30ms));
}

PENSTOCK_TEST("interval() makes up for missed ticks, delays the next, or skips them") {
  auto burst = co_await times_of(rt, interval_options{.missed = missed_ticks::burst});
  CHECK(burst == times{0, 25, 25, 30, 40});
  auto delay = co_await times_of(rt, interval_options{.missed = missed_ticks::delay});
  CHECK(delay == times{0, 25, 35, 45, 55});
  auto skip = co_await times_of(rt, interval_options{.missed = missed_ticks::skip});
  CHECK(skip == times{0, 25, 30, 40, 50});
}

PENSTOCK_TEST("interval() refuses a period of zero or less") {
  for (auto d : {0ms, -1ms}) {
    auto failed = co_await (interval(d) | collect());
    CHECK(failed.error().message() == "interval 'a period of zero or less': invalid option");
  }
}

PENSTOCK_TEST("a stop ends interval()'s wait, and it keeps its grid when it is read on") {
  auto ticks = interval(10ms);
  auto first = co_await ticks.next();
  CHECK(first.value() == 0);
  auto late = co_await with_timeout(3ms, ticks.next());
  CHECK(late.error() == errc::timed_out);
  auto second = co_await ticks.next();
  CHECK(second.value() == 1);
  CHECK(rt.now() == time_point(10ms));
  auto forever = interval(duration::max());
  auto once = co_await forever.next();
  CHECK(once.value() == 0);
  auto never_again = co_await with_timeout(24h, forever.next());
  CHECK(never_again.error() == errc::timed_out);
}

TEST_CASE("interval() counts from the first pull, and waits for nobody") {
  CHECK(played(interval(3ms) | take(3)) == "0--1--(2|)");
  const interval_options later{.first = first_tick::after_a_period};
  CHECK(played(interval(3ms, later) | take(2)) == "---0--(1|)");
  // A consumer that is busy for 4 ms makes ticks late; none is lost by default.
  CHECK(played(interval(3ms) | take(3), 4ms) == "0---1---2---|");
  const interval_options leave_out{.missed = missed_ticks::skip};
  CHECK(played(interval(3ms, leave_out) | take(3), 4ms) == "0---1---2---|");
  CHECK(played(interval(0ms)) == "#");
}
