// penstock/base/rate.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// So many in so long, and what a limiter core answers. The cores: limiter_core.hpp.

#include <penstock/base/clock.hpp>
#include <penstock/base/result.hpp>

#include <cstdint>

namespace penstock {

/// `count` permits in every `period`.
struct rate {
  std::uint32_t count = 1;
  duration period = std::chrono::seconds(1);

  friend constexpr bool operator==(const rate&, const rate&) noexcept = default;
};
static_assert(std::is_trivially_copyable_v<rate>);

/// `count` permits in every second.
[[nodiscard]] constexpr rate per_second(std::uint32_t count) noexcept {
  return {count, std::chrono::seconds(1)};
}
/// `count` permits in every minute.
[[nodiscard]] constexpr rate per_minute(std::uint32_t count) noexcept {
  return {count, std::chrono::minutes(1)};
}
/// `count` permits in every hour.
[[nodiscard]] constexpr rate per_hour(std::uint32_t count) noexcept {
  return {count, std::chrono::hours(1)};
}

/// `errc::invalid_option` for a rate that lets nothing through.
[[nodiscard]] inline result<> validate(const rate& r) {
  if (r.count == 0) return fail(errc::invalid_option, "rate", "count");
  if (r.period <= duration::zero()) return fail(errc::invalid_option, "rate", "period");
  return {};
}

/// What a limiter core decides about one request.
struct limiter_decision {
  bool admitted = false;
  /// Admitted: the time that it was charged to, for a refund. Refused: the earliest time at which
  /// the same request would be admitted, if nobody else came first; `time_point::max()`: never.
  time_point at = (time_point::max)();
};

}  // namespace penstock
