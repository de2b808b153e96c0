// tests/base/backoff_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/backoff.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "support/stopped.hpp"

using namespace std::chrono_literals;

namespace {

using penstock::backoff;
using penstock::backoff_options;
using penstock::constant;
using penstock::decorrelated;
using penstock::duration;
using penstock::exponential;
using penstock::jitter;
using penstock::linear;
using penstock::polynomial;
using penstock::random_engine;
using penstock::smooth;

static_assert(std::is_trivially_copyable_v<backoff> && std::is_aggregate_v<backoff_options>);
static_assert(std::is_default_constructible_v<backoff>);
[[maybe_unused]] constexpr backoff at_compile_time = exponential(100ms, {.factor = 3, .cap = 5s});

struct range {
  duration low = duration::max(), high = duration::min(), median{};
};
// What 4000 draws of the delay after `attempt` failures span.
range drawn(const backoff& b, std::uint64_t attempt, std::uint64_t seed = 1) {
  random_engine random(seed);
  std::vector<duration> all;
  for (int i = 0; i < 4000; ++i) all.push_back(b.delay(attempt, random));
  std::sort(all.begin(), all.end());
  return {all.front(), all.back(), all[2000]};
}
// Inside [low, high], and within a hundredth of both ends.
bool fills(const range& r, duration low, duration high) {
  const duration slack = (high - low) / 100;
  return r.low >= low && r.low <= low + slack && r.high <= high && r.high >= high - slack;
}

TEST_CASE("full jitter is the default") {
  // [backoff]
  const backoff b = exponential(100ms, {.cap = 2s});  // 100, 200, 400 ... 2000 ms
  random_engine random(7);
  const duration wait = b.delay(3, random);  // after the third failure
  CHECK(wait >= 0ms);
  CHECK(wait <= 400ms);
  // [/backoff]
  CHECK(fills(drawn(b, 1), 0ms, 100ms));
  CHECK(fills(drawn(b, 2), 0ms, 200ms));
  CHECK(fills(drawn(b, 5), 0ms, 1600ms));
  CHECK(fills(drawn(b, 6), 0ms, 2s));
  CHECK(fills(drawn(b, 60), 0ms, 2s));
  CHECK(fills(drawn(backoff(), 1), 0ms, 100ms));
}

TEST_CASE("without jitter the curves are exact") {
  random_engine random;
  const backoff e = exponential(200ms, {.jitter = jitter::none});
  CHECK(e.delay(1, random) == 200ms);
  CHECK(e.delay(2, random) == 400ms);
  CHECK(e.delay(9, random) == 51'200ms);
  CHECK(e.delay(10, random) == 1min);
  const backoff l = linear(50ms, {.cap = 2s, .jitter = jitter::none});
  CHECK(l.delay(1, random) == 50ms);
  CHECK(l.delay(39, random) == 1950ms);
  CHECK(l.delay(41, random) == 2s);
  const backoff c = constant(30ms, {.jitter = jitter::none});
  CHECK(c.delay(1, random) == 30ms);
  CHECK(c.delay(1000, random) == 30ms);
  const backoff p = polynomial(1s, 4, {.cap = 24h, .jitter = jitter::none, .offset = 15s});
  CHECK(p.delay(1, random) == 16s);
  CHECK(p.delay(3, random) == 96s);
}

TEST_CASE("each jitter fills its range and nothing else") {
  const auto with = [](jitter j) {
    return drawn(exponential(1s, {.jitter = j, .fraction = 0.2}), 2);
  };
  CHECK(fills(with(jitter::full), 0s, 2s));
  CHECK(fills(with(jitter::equal), 1s, 2s));
  CHECK(fills(with(jitter::none), 2s, 2s));
  CHECK(fills(with(jitter::proportional), 1600ms, 2400ms));
  CHECK(fills(with(jitter::below), 1600ms, 2s));
  CHECK(fills(with(jitter::above), 2s, 2400ms));
}

TEST_CASE("no delay is above the cap, and jitter at the cap is still jitter") {
  const auto at_cap = [](jitter j) {
    return drawn(exponential(1s, {.cap = 10s, .jitter = j, .fraction = 0.25}), 30);
  };
  CHECK(fills(at_cap(jitter::proportional), 6s, 10s));
  CHECK(fills(at_cap(jitter::above), 8s, 10s));
  CHECK(fills(at_cap(jitter::below), 7500ms, 10s));
}

TEST_CASE("attempts without end do not overflow") {
  random_engine random(3);
  const auto longest = duration::max();
  for (const backoff& b :
       {exponential(100ms), exponential(1h, {.factor = 1e6, .cap = longest}),
        linear(1h, {.cap = longest}), polynomial(1h, 64, {.cap = longest}),
        decorrelated(1s, longest), decorrelated(100ms), smooth(1s, longest), smooth(1s),
        exponential(1h, {.cap = longest, .jitter = jitter::above, .fraction = 1}), exponential(0s),
        polynomial(0s, 64), decorrelated(0s), smooth(0s),
        exponential(longest, {.cap = longest, .offset = longest, .spread = longest})}) {
    for (const std::uint64_t n :
         {1ULL, 63ULL, 64ULL, 65ULL, 1023ULL, 1024ULL, 1025ULL, 2048ULL, 1'000'000ULL, ~0ULL}) {
      for (int i = 0; i < 20; ++i) {
        const duration d = b.delay(n, random);
        REQUIRE(d >= 0ns);
        REQUIRE(d <= longest);
      }
    }
  }
  CHECK(exponential(100ms, {.jitter = jitter::none}).delay(1024, random) == 1min);
  CHECK(exponential(1s, {.cap = longest, .jitter = jitter::none}).delay(1024, random) == longest);
  CHECK(smooth(1s, 1h).delay(1100, random) == 1h);
  CHECK(exponential(0s, {.jitter = jitter::none}).delay(5000, random) == 0s);
}

TEST_CASE("decorrelated delays start between base and three times base, and grow to the cap") {
  const backoff b = decorrelated(1s, 20s);
  CHECK(fills(drawn(b, 1), 1s, 3s));
  const auto second = drawn(b, 2);
  CHECK(second.low >= 1s);
  CHECK(second.high > 3s);
  CHECK(second.high <= 9s);
  const auto late = drawn(b, 50);
  CHECK(late.low >= 1s);
  CHECK(late.high == 20s);
  CHECK(late.median > drawn(b, 1).median);
}

TEST_CASE("smooth delays: the first has its median near base, the later ones double") {
  const backoff b = smooth(1s, 1h);
  // f(n - 1/2) - f(n - 3/2), f(t) = 2^t tanh sqrt(4t), over 1.4
  const double medians[] = {0.90, 1.10, 2.04, 4.04, 8.08, 16.16};
  for (std::uint64_t n = 1; n <= 6; ++n) {
    CAPTURE(n);
    const double median = static_cast<double>(drawn(b, n).median.count()) * 1e-9;
    CHECK(median == doctest::Approx(medians[n - 1]).epsilon(0.08));
  }
}

TEST_CASE("equal seeds give equal delays") {
  random_engine one(5), two(5);
  const backoff b = exponential(1s);
  for (std::uint64_t n = 1; n < 20; ++n) CHECK(b.delay(n, one) == b.delay(n, two));
}

TEST_CASE("options that make no sense stop the program with their name") {
  const auto stopped = [](duration first, backoff_options o) {
    return support::stopped_with([&] { static_cast<void>(exponential(first, o)); });
  };
  CHECK(stopped(1s, {}) == "");
  CHECK(stopped(-1s, {}) == "backoff: the first delay is negative");
  CHECK(stopped(1s, {.factor = 0.5}) == "backoff: factor is not in [1, 1e6]");
  CHECK(stopped(1s, {.cap = -1s}) == "backoff: cap is negative");
  CHECK(stopped(1s, {.fraction = 1.5}) == "backoff: fraction is not in [0, 1]");
  CHECK(stopped(1s, {.offset = -1s}) == "backoff: offset is negative");
  CHECK(stopped(1s, {.spread = -1s}) == "backoff: spread is negative");
  random_engine random;
  CHECK(support::stopped_with([&] { static_cast<void>(exponential(1s).delay(0, random)); }) ==
        "attempts are counted from 1");
}

}  // namespace
