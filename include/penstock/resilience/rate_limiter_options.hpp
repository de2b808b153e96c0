// penstock/resilience/rate_limiter_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Options of rate limiters, what they tell, and their numbers. The limiters: rate_limiter.hpp.

#include <penstock/base/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace penstock {

/// What a limiter does, as a policy, with a call that comes too early.
enum class when_limited : unsigned char {
  wait,    ///< the call waits for its turn
  refuse,  ///< `errc::rate_limited` at once
};

/// Options of `rate_limiter`.
struct rate_limiter_options {
  /// Tasks that may wait at once; one more is refused with `errc::rate_limited`.
  std::size_t max_waiting = 1000;
  /// As a policy.
  penstock::when_limited when_limited = penstock::when_limited::wait;
  /// The other side asks for a pause (`penalize`): it is not longer than this.
  duration max_penalty = std::chrono::minutes(10);
};
static_assert(std::is_trivially_copyable_v<rate_limiter_options>);

/// Whether a limiter can be so.
[[nodiscard]] inline result<> validate(const rate_limiter_options& o) {
  if (o.max_penalty < duration::zero())
    return fail(errc::invalid_option, "rate_limiter_options", "max_penalty is negative");
  return {};
}

/// What a limiter tells.
struct rate_limiter_event {
  enum class kind : unsigned char {
    refused,    ///< a request was refused; `wait`: for how long
    waits,      ///< a request has to wait; `wait`: for so long, if nobody else gives up
    penalized,  ///< nothing passes for `wait`
    closed,     ///< `close()` was called
  };
  std::string_view name;  ///< the limiter's
  std::string_view key;   ///< its key in a `keyed_rate_limiter`, if that is text or a number
  kind what = kind::refused;
  std::uint32_t cost = 0;
  duration wait{};
};

/// Numbers of a limiter since it was made. What was admitted at once is not counted: that would
/// cost as much as the admission.
struct rate_limiter_stats {
  std::uint64_t refused = 0;    ///< requests refused, `try_acquire` included
  std::uint64_t waited = 0;     ///< requests that had to wait
  std::uint64_t given_up = 0;   ///< of those, that went without a permit: a stop, a deadline
  std::uint64_t reserved = 0;   ///< reservations for later
  std::uint64_t canceled = 0;   ///< of those, given back in time
  std::uint64_t penalized = 0;  ///< pauses that the other side asked for
  std::size_t waiting = 0;      ///< tasks that wait now
};

}  // namespace penstock
