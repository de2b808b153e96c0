// penstock/base/gcra_pace.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The arithmetic of the generic cell rate algorithm, for who keeps its one number elsewhere. With
/// the number: gcra_core.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/base/rate.hpp>

#include <cstdint>

namespace penstock {

/// `burst` at once, and one more every period / count: what these are in whole numbers.
///
/// **Shape.** `tat` below is the theoretical arrival time of the next permit of a steady stream.
/// **Parameters.** `rate`; `burst`: permits, 1 and more. Invalid ones stop the program.
/// **Thread-safety.** immutable: any thread.
/// **Complexity.** O(1); 16 bytes. Times are exact: period / count is kept as a fraction.
class gcra_pace {
 public:
  /// 1 / `per_nanosecond()` of a nanosecond: in these units all times are whole numbers.
  __extension__ using units = __int128;
  /// A `tat` of one who was never asked.
  static constexpr units long_ago = static_cast<units>((duration::min)().count()) << 32;

  explicit gcra_pace(rate r, std::uint32_t burst) noexcept : burst_(burst) {
    if (!validate(r)) detail::stop_program("gcra_core: rate has a count or period of zero or less");
    if (burst == 0) detail::stop_program("gcra_core: burst is 0");
    const auto period = static_cast<std::uint64_t>(r.period.count());
    const std::uint64_t common = common_divisor(period, r.count);
    interval_ = static_cast<std::int64_t>(period / common);
    per_nanosecond_ = static_cast<std::uint32_t>(r.count / common);
  }

  /// Takes `cost` permits if they are there now.
  limiter_decision acquire(units& tat, time_point now, std::uint32_t cost) const noexcept {
    if (cost > burst_) return {};
    const units next = start_at(tat, now) + of(cost);
    const units admitted_from = next - of(burst_);
    if (admitted_from > to_units(now)) return {false, to_time(admitted_from)};
    if (cost) tat = next;
    return {true, now};
  }
  /// When `cost` permits, which may be more than the burst, could all have been taken.
  [[nodiscard]] time_point ready_at(units tat, time_point now, std::uint64_t cost) const noexcept {
    const units admitted_from = start_at(tat, now) + of(cost) - of(burst_);
    return admitted_from > to_units(now) ? to_time(admitted_from) : now;
  }
  /// How many permits are there now.
  [[nodiscard]] std::uint32_t available(units tat, time_point now) const noexcept {
    const units free = to_units(now) + of(burst_) - start_at(tat, now);
    return free <= 0 ? 0 : static_cast<std::uint32_t>(free / interval_);
  }

  [[nodiscard]] std::uint32_t burst() const noexcept { return burst_; }
  /// Units between two permits.
  [[nodiscard]] std::int64_t interval() const noexcept { return interval_; }
  [[nodiscard]] std::uint32_t per_nanosecond() const noexcept { return per_nanosecond_; }
  /// What `permits` take.
  [[nodiscard]] units of(std::uint64_t permits) const noexcept {
    return static_cast<units>(interval_) * static_cast<units>(permits);
  }
  [[nodiscard]] units to_units(time_point t) const noexcept {
    return static_cast<units>(t.time_since_epoch().count()) * per_nanosecond_;
  }
  /// The first nanosecond at or after `u`.
  [[nodiscard]] time_point to_time(units u) const noexcept {
    units whole = u / per_nanosecond_;
    if (whole * per_nanosecond_ < u) ++whole;
    if (whole > (duration::max)().count()) return (time_point::max)();
    if (whole < (duration::min)().count()) return (time_point::min)();
    return time_point(duration(static_cast<duration::rep>(whole)));
  }

  /// Where the next permit counts from: a request in the very nanosecond of the TAT counts from the
  /// TAT, so that waiting until decision.at does not drift.
  [[nodiscard]] units start_at(units tat, time_point now) const noexcept {
    const units here = to_units(now);
    return tat > here - per_nanosecond_ ? tat : here;
  }

 private:
  static std::uint64_t common_divisor(std::uint64_t a, std::uint64_t b) noexcept {
    while (b) {
      const std::uint64_t rest = a % b;
      a = b;
      b = rest;
    }
    return a;
  }
  std::int64_t interval_ = 0;
  std::uint32_t per_nanosecond_ = 0;
  std::uint32_t burst_;
};

}  // namespace penstock
