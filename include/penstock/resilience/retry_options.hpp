// penstock/resilience/retry_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How often `retry` tries, and how long it waits between.

#include <penstock/base/backoff.hpp>
#include <penstock/base/result.hpp>
#include <penstock/resilience/idempotent.hpp>

#include <chrono>
#include <cstddef>
#include <type_traits>

namespace penstock {

/// Options of `retry`.
struct retry_options {
  std::size_t attempts = 3;  ///< in all, the first one too; at least 1
  /// How long to wait after each failure.
  penstock::backoff backoff = exponential(std::chrono::milliseconds(100));
  /// No delay is longer: the backoff is cut to it, and a server that asks for more
  /// (`error::retry_after`) is not tried again.
  duration max_delay = (duration::max)();
};
static_assert(std::is_trivially_copyable_v<retry_options>);

/// Options of `retry` that let it repeat any operation: `retry({.attempts = 3, .repeat = unsafe})`.
struct unsafe_retry_options {
  std::size_t attempts = 3;
  penstock::backoff backoff = exponential(std::chrono::milliseconds(100));
  duration max_delay = (duration::max)();
  unsafe_t repeat;  ///< no default: it must be written
};
static_assert(std::is_trivially_copyable_v<unsafe_retry_options>);

namespace detail {
inline result<> validate_retry(std::size_t attempts, duration max_delay) {
  if (attempts == 0) return fail(errc::invalid_option, "retry_options", "attempts is 0");
  if (max_delay < duration::zero())
    return fail(errc::invalid_option, "retry_options", "max_delay is negative");
  return {};
}
}  // namespace detail

/// Whether it can be tried so.
[[nodiscard]] inline result<> validate(const retry_options& o) {
  return detail::validate_retry(o.attempts, o.max_delay);
}
[[nodiscard]] inline result<> validate(const unsafe_retry_options& o) {
  return detail::validate_retry(o.attempts, o.max_delay);
}

}  // namespace penstock
