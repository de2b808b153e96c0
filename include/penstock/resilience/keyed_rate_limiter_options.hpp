// penstock/resilience/keyed_rate_limiter_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Options and numbers of keyed rate limiters: keyed_rate_limiter.hpp.

#include <penstock/resilience/rate_limiter_options.hpp>

namespace penstock {

/// What a keyed limiter does with a new key while all keys that it has are in use.
enum class when_full : unsigned char {
  reject,  ///< the request is refused with `errc::rate_limited`
  share,   ///< all such keys have one limit, the standard one, together
};

/// Options of `keyed_rate_limiter`.
struct keyed_rate_limiter_options {
  std::size_t max_keys = 10'000;  ///< keys at once; at least 1
  penstock::when_full when_full = penstock::when_full::reject;
  std::size_t max_waiting = 100;  ///< tasks that may wait for one key
  penstock::when_limited when_limited = penstock::when_limited::wait;  ///< as a policy
  duration max_penalty = std::chrono::minutes(10);  ///< as in `rate_limiter_options`
};
static_assert(std::is_trivially_copyable_v<keyed_rate_limiter_options>);

/// Whether a limiter can be so.
[[nodiscard]] inline result<> validate(const keyed_rate_limiter_options& o) {
  if (o.max_keys == 0)
    return fail(errc::invalid_option, "keyed_rate_limiter_options", "max_keys is 0");
  if (o.max_keys > std::size_t{1} << 31)
    return fail(errc::invalid_option, "keyed_rate_limiter_options", "max_keys is above 2^31");
  if (o.max_penalty < duration::zero())
    return fail(errc::invalid_option, "keyed_rate_limiter_options", "max_penalty is negative");
  return {};
}

/// Numbers of a keyed limiter since it was made; as those of `rate_limiter_stats`.
struct keyed_rate_limiter_stats {
  std::size_t keys = 0;         ///< that there are
  std::uint64_t made = 0;       ///< keys that were new
  std::uint64_t evicted = 0;    ///< keys that were as new and made room
  std::uint64_t full = 0;       ///< requests of new keys that found no room
  std::uint64_t refused = 0;    ///< requests refused
  std::uint64_t waited = 0;     ///< requests that had to wait
  std::uint64_t given_up = 0;   ///< of those, that went without a permit
  std::uint64_t penalized = 0;  ///< pauses that the other side asked for
};

}  // namespace penstock
