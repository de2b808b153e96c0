// penstock/base/limiter_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The limiter cores, one for each meaning of "90 per minute". None knows a clock or waits.
///
/// | core                | in any 60 s          | in 60 s after a pause | state            |
/// |---------------------|----------------------|-----------------------|------------------|
/// | `exact_window_core` | 90                   | 90 at once            | a time a permit  |
/// | `gcra_core`         | 90 + burst           | burst at once         | one number       |
/// | `fixed_window_core` | 180                  | 90 at once            | a counter        |

#include <penstock/base/exact_window_core.hpp>
#include <penstock/base/fixed_window_core.hpp>
#include <penstock/base/gcra_core.hpp>

#include <concepts>

namespace penstock {

/// What streams and limiters ask of a core.
template <class T>
concept limiter_core = requires(T& core, const T& seen, time_point t, std::uint32_t cost,
                                std::uint64_t sum) {
  { core.acquire(t, cost) } -> std::same_as<limiter_decision>;
  core.refund(t, cost);
  { seen.available(t) } -> std::same_as<std::uint32_t>;
  { seen.ready_at(t, sum) } -> std::same_as<time_point>;
  { seen.fresh_at() } -> std::same_as<time_point>;
  { seen.limit() } -> std::same_as<std::uint32_t>;
};

}  // namespace penstock
