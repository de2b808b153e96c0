// penstock/base/clock.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The library's time: nanoseconds on a monotonic clock that has no `now()`, because time comes
/// from the environment (`this_task::now`) or is an argument. Sums of times saturate: `max()` is
/// never.

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

namespace penstock {

using duration = std::chrono::nanoseconds;

/// The monotonic clock of an environment, as a type.
struct clock {
  using duration = penstock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<clock, duration>;
  static constexpr bool is_steady = true;
};

using time_point = std::chrono::time_point<clock, duration>;
/// Calendar time: for cron, signatures, logs. Never for measuring.
using wall_time = std::chrono::sys_time<duration>;

namespace detail {
// Core compares these: the operators of chrono take each unit 40 ms to compile.
constexpr std::int64_t count_of(time_point t) noexcept { return t.time_since_epoch().count(); }
constexpr bool is_never(time_point t) noexcept {
  return count_of(t) == (std::numeric_limits<std::int64_t>::max)();
}

__extension__ using uint128 = unsigned __int128;
static_assert(sizeof(duration::rep) == 8);

constexpr duration saturated(bool negative) noexcept {
  return negative ? (duration::min)() : (duration::max)();
}

// count * num / den seconds.
template <std::intmax_t num, std::intmax_t den, class Rep>
constexpr duration from_seconds(Rep count) noexcept {
  constexpr auto limit = static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max)());
  constexpr uint128 scale = static_cast<uint128>(num) * 1'000'000'000;
  if constexpr (std::is_floating_point_v<Rep>) {
    if (count != count) return duration::zero();
    const auto ns = static_cast<long double>(count) * static_cast<long double>(scale) / den;
    if (ns >= static_cast<long double>(limit) || ns <= -static_cast<long double>(limit))
      return saturated(ns < 0);
    return duration(static_cast<std::int64_t>(ns < 0 ? ns - 0.5L : ns + 0.5L));
  } else {
    const bool negative = count < 0;
    const auto wide = static_cast<std::uint64_t>(count);
    const std::uint64_t magnitude = negative ? 0 - wide : wide;
    std::uint64_t ns = 0;
    if constexpr (scale % den == 0 && scale / den <= limit) {
      if (__builtin_mul_overflow(magnitude, static_cast<std::uint64_t>(scale / den), &ns))
        return saturated(negative);
    } else {
      const uint128 whole = static_cast<uint128>(magnitude) * num;
      if (whole / den > limit) return saturated(negative);
      const uint128 sum = whole / den * 1'000'000'000 + whole % den * 1'000'000'000 / den;
      if (sum > limit) return saturated(negative);
      ns = static_cast<std::uint64_t>(sum);
    }
    if (ns > limit) return saturated(negative);
    return duration(negative ? -static_cast<std::int64_t>(ns) : static_cast<std::int64_t>(ns));
  }
}
}  // namespace detail

/// `d` in nanoseconds: what is too long becomes the longest duration, what is not a number zero,
/// and a floating count is rounded to the nearest nanosecond.
template <class Rep, class Period>
[[nodiscard]] constexpr duration to_duration(std::chrono::duration<Rep, Period> d) noexcept {
  static_assert(std::is_arithmetic_v<Rep>, "a duration of a built-in number");
  return detail::from_seconds<Period::num, Period::den>(d.count());
}

/// `d1 + d2`, or the nearest duration that exists.
[[nodiscard]] constexpr duration add_saturated(duration d1, duration d2) noexcept {
  duration::rep sum = 0;
  if (__builtin_add_overflow(d1.count(), d2.count(), &sum))
    return detail::saturated(d2.count() < 0);
  return duration(sum);
}
/// `t + d`, or the nearest time that exists. `time_point::max()`, never, stays what it is.
[[nodiscard]] constexpr time_point add_saturated(time_point t, duration d) noexcept {
  if (detail::is_never(t)) return t;
  return time_point(add_saturated(t.time_since_epoch(), d));
}
/// `d` so many times, or the nearest duration that exists.
[[nodiscard]] constexpr duration multiply_saturated(duration d, std::uint64_t count) noexcept {
  duration::rep product = 0;
  if (count > static_cast<std::uint64_t>((duration::max)().count()) ||
      __builtin_mul_overflow(d.count(), static_cast<duration::rep>(count), &product))
    return detail::saturated(d.count() < 0);
  return duration(product);
}

}  // namespace penstock
