// penstock/resilience/retry_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The decisions of a retry, without I/O: whether there is another attempt, and when.

#include <penstock/base/backoff.hpp>
#include <penstock/base/result.hpp>

#include <algorithm>
#include <type_traits>

namespace penstock {

/// Which operations a retry accepts.
enum class repeat : unsigned char {
  idempotent,  ///< only those marked with `idempotent(fn)`
  unsafe,      ///< any: the caller knows that a repetition does no harm
};

/// Options of `retry`.
struct retry_options {
  int attempts = 3;             ///< in all, the first included; at least 1
  penstock::backoff backoff{};  ///< between them: exponential from 100 ms with full jitter
  penstock::repeat repeat = penstock::repeat::idempotent;
};
static_assert(std::is_trivially_copyable_v<retry_options>);

/// **Errors.** `errc::invalid_option`.
[[nodiscard]] inline result<> validate(const retry_options& o) {
  if (o.attempts < 1) return fail(errc::invalid_option, "retry_options", "attempts is less than 1");
  return {};
}

namespace detail {
struct retry_decision {
  retry_stop stop = retry_stop::none;  // none: wait for `delay`, then try again
  duration delay{};
};

// After attempt number `attempt` failed with `e`.
inline retry_decision next_attempt(const retry_options& o, int attempt, bool retryable,
                                   const error& e, time_point now, time_point deadline,
                                   random_engine& random) {
  if (!retryable) return {retry_stop::non_retryable};
  if (attempt >= o.attempts) return {retry_stop::attempts};
  duration delay = o.backoff.delay(static_cast<std::uint64_t>(attempt), random);
  if (const auto asked = e.retry_after()) {
    if (*asked < duration::zero()) return {retry_stop::pushback};
    delay = (std::max)(delay, *asked);
  }
  if (add_saturated(now, delay) >= deadline) return {retry_stop::deadline};
  return {retry_stop::none, delay};
}
}  // namespace detail

}  // namespace penstock
