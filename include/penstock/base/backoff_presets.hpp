// penstock/base/backoff_presets.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The backoff curves of well-known systems, for services that must behave like them.

#include <penstock/base/backoff.hpp>

namespace penstock::presets {

/// AWS SDKs: U(0, 1) * min(20 s, 2^(n-1) s).
[[nodiscard]] constexpr backoff aws_backoff() noexcept {
  using namespace std::chrono;
  return exponential(seconds(1), {.cap = seconds(20)});
}
/// gRPC (proposal A6) with its example's numbers: U(0, min(1 s * 1.6^(n-1), 120 s)).
[[nodiscard]] constexpr backoff grpc_backoff() noexcept {
  using namespace std::chrono;
  return exponential(seconds(1), {.factor = 1.6, .cap = seconds(120)});
}
/// Bull and BullMQ, exponential: 2^(n-1) * 2 s.
[[nodiscard]] constexpr backoff bull_backoff() noexcept {
  using namespace std::chrono;
  return exponential(seconds(2), {.cap = (duration::max)(), .jitter = jitter::none});
}
/// resilience4j: 500 ms * 1.5^(n-1), more or less by half of it.
[[nodiscard]] constexpr backoff resilience4j_backoff() noexcept {
  using namespace std::chrono;
  return exponential(
      milliseconds(500),
      {.factor = 1.5, .cap = (duration::max)(), .jitter = jitter::proportional, .fraction = 0.5});
}
/// The reconnect of node's Redis clients: min(n * 50 ms, 2 s).
[[nodiscard]] constexpr backoff redis_backoff() noexcept {
  using namespace std::chrono;
  return linear(milliseconds(50), {.cap = seconds(2), .jitter = jitter::none});
}
/// Sidekiq: n^4 + 15 + U(0, 10) * (n+1) seconds.
[[nodiscard]] constexpr backoff sidekiq_backoff() noexcept {
  using namespace std::chrono;
  return polynomial(seconds(1), 4,
                    {.cap = (duration::max)(),
                     .jitter = jitter::none,
                     .offset = seconds(15),
                     .spread = seconds(10)});
}
/// asynq: n^4 + 15 + U(0, 30) * (n+1) seconds.
[[nodiscard]] constexpr backoff asynq_backoff() noexcept {
  using namespace std::chrono;
  return polynomial(seconds(1), 4,
                    {.cap = (duration::max)(),
                     .jitter = jitter::none,
                     .offset = seconds(15),
                     .spread = seconds(30)});
}
/// River: n^4 seconds, more or less by a tenth.
[[nodiscard]] constexpr backoff river_backoff() noexcept {
  using namespace std::chrono;
  return polynomial(seconds(1), 4,
                    {.cap = (duration::max)(), .jitter = jitter::proportional, .fraction = 0.1});
}
/// Oban: 15 + 2^n seconds, more by up to a tenth; not longer than after 20 failures.
[[nodiscard]] constexpr backoff oban_backoff() noexcept {
  using namespace std::chrono;
  return exponential(seconds(2), {.cap = seconds((15 + (1 << 20)) * 11 / 10 + 1),
                                  .jitter = jitter::above,
                                  .fraction = 0.1,
                                  .offset = seconds(15)});
}

}  // namespace penstock::presets
