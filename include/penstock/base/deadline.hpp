// penstock/base/deadline.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A point in time by which something must be done. For scopes with a deadline:
/// core/with_timeout.hpp.

#include <penstock/base/clock.hpp>

namespace penstock {

/// A point of the environment's clock, or never.
struct deadline {
  time_point at = (time_point::max)();  ///< `(time_point::max)()`: never

  [[nodiscard]] static constexpr deadline never() noexcept { return {}; }
  /// `d` from `now` on; a time that does not exist is never.
  [[nodiscard]] static constexpr deadline after(time_point now, duration d) noexcept {
    return {add_saturated(now, d)};
  }
  [[nodiscard]] constexpr bool is_never() const noexcept { return at == (time_point::max)(); }
  [[nodiscard]] constexpr bool expired(time_point now) const noexcept {
    return !is_never() && at <= now;
  }
  /// What is left, at least zero; `duration::max()` for never.
  [[nodiscard]] constexpr duration remaining(time_point now) const noexcept {
    if (is_never()) return (duration::max)();
    if (at <= now) return duration::zero();
    duration::rep left = 0;
    if (__builtin_sub_overflow(at.time_since_epoch().count(), now.time_since_epoch().count(),
                               &left))
      return (duration::max)();
    return duration(left);
  }
  /// The earlier one.
  [[nodiscard]] friend constexpr deadline(min)(deadline a, deadline b) noexcept {
    return b.at < a.at ? b : a;
  }
  friend constexpr auto operator<=>(const deadline&, const deadline&) noexcept = default;
};

}  // namespace penstock
