// tests/base/backoff_presets_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/backoff_presets.hpp>

#include <doctest/doctest.h>

#include <algorithm>

using namespace std::chrono_literals;

namespace {

using penstock::backoff;
using penstock::duration;
namespace presets = penstock::presets;

// The n-th delay stays in [low, high] and comes near both ends.
bool spans(const backoff& b, std::uint64_t n, duration low, duration high) {
  penstock::random_engine random(17);
  duration least = duration::max(), most = duration::min();
  for (int i = 0; i < 4000; ++i) {
    const duration d = b.delay(n, random);
    least = std::min(least, d);
    most = std::max(most, d);
  }
  const duration slack = (high - low) / 100;
  return least >= low && most <= high && least <= low + slack && most >= high - slack;
}

TEST_CASE("the curves of other systems, attempt by attempt") {
  CHECK(spans(presets::aws_backoff(), 1, 0s, 1s));
  CHECK(spans(presets::aws_backoff(), 5, 0s, 16s));
  CHECK(spans(presets::aws_backoff(), 6, 0s, 20s));

  CHECK(spans(presets::grpc_backoff(), 1, 0s, 1s));
  CHECK(spans(presets::grpc_backoff(), 3, 0s, 2560ms));
  CHECK(spans(presets::grpc_backoff(), 40, 0s, 120s));

  CHECK(spans(presets::bull_backoff(), 1, 2s, 2s));
  CHECK(spans(presets::bull_backoff(), 2, 4s, 4s));
  CHECK(spans(presets::bull_backoff(), 10, 1024s, 1024s));

  CHECK(spans(presets::resilience4j_backoff(), 1, 250ms, 750ms));
  CHECK(spans(presets::resilience4j_backoff(), 3, 562'500us, 1'687'500us));

  CHECK(spans(presets::redis_backoff(), 1, 50ms, 50ms));
  CHECK(spans(presets::redis_backoff(), 39, 1950ms, 1950ms));
  CHECK(spans(presets::redis_backoff(), 400, 2s, 2s));

  CHECK(spans(presets::sidekiq_backoff(), 1, 16s, 36s));
  CHECK(spans(presets::sidekiq_backoff(), 25, 390'640s, 390'900s));

  CHECK(spans(presets::asynq_backoff(), 1, 16s, 76s));
  CHECK(spans(presets::asynq_backoff(), 2, 31s, 121s));

  CHECK(spans(presets::river_backoff(), 2, 14'400ms, 17'600ms));
  CHECK(spans(presets::river_backoff(), 10, 9'000s, 11'000s));

  CHECK(spans(presets::oban_backoff(), 1, 17s, 18'700ms));
  CHECK(spans(presets::oban_backoff(), 10, 1039s, 1'142'900ms));
}

TEST_CASE("the simplest of all: 200 ms, 400 ms, doubling") {
  const auto b = penstock::exponential(200ms, {.jitter = penstock::jitter::none});
  CHECK(spans(b, 1, 200ms, 200ms));
  CHECK(spans(b, 2, 400ms, 400ms));
}

}  // namespace
