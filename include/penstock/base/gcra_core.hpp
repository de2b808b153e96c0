// penstock/base/gcra_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The generic cell rate algorithm, without clock and waiting: evenly spaced permits, and a burst
/// of them after a pause. In any period it admits up to burst + count; where that is too much:
/// exact_window_core.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/base/rate.hpp>

#include <cstdint>

namespace penstock {

/// Admits `burst` at once, and one more every period / count.
///
/// **Shape.** one number: the theoretical arrival time (TAT) of the next permit of a steady stream.
/// **Parameters.** `rate`; `burst`: permits, 1 and more. Invalid ones stop the program.
/// **Errors.** none; a cost above the burst is never admitted.
/// **Thread-safety.** one thread at a time.
/// **Complexity.** O(1); 32 bytes. Times are exact: period / count is kept as a fraction.
class gcra_core {
 public:
  explicit gcra_core(rate r, std::uint32_t burst = 1) noexcept : burst_(burst) {
    if (!validate(r)) detail::stop_program("gcra_core: rate has a count or period of zero or less");
    if (burst == 0) detail::stop_program("gcra_core: burst is 0");
    const auto period = static_cast<std::uint64_t>(r.period.count());
    const std::uint64_t common = common_divisor(period, r.count);
    interval_ = static_cast<std::int64_t>(period / common);
    per_nanosecond_ = static_cast<std::uint32_t>(r.count / common);
  }

  /// Takes `cost` permits if they are there now. `now` is the loop's time.
  limiter_decision acquire(time_point now, std::uint32_t cost = 1) noexcept {
    if (cost > burst_) return {};
    const units start = start_at(now);
    const units next = start + of(cost);
    const units admitted_from = next - of(burst_);
    if (admitted_from > to_units(now)) return {false, to_time(admitted_from)};
    if (cost) next_ = next;
    return {true, now};
  }
  /// Gives back `cost` permits of a decision that admitted, charged to `at`.
  void refund(time_point at, std::uint32_t cost = 1) noexcept {
    static_cast<void>(at);  // what has grown back meanwhile is lost anyway: see start_at()
    next_ -= of(cost);
  }

  /// How many permits are there now.
  [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
    const units free = to_units(now) + of(burst_) - start_at(now);
    return free <= 0 ? 0 : static_cast<std::uint32_t>(free / interval_);
  }
  /// From then on it is as new: nothing is forgotten when it is destroyed.
  [[nodiscard]] time_point fresh_at() const noexcept { return to_time(next_); }
  [[nodiscard]] std::uint32_t burst() const noexcept { return burst_; }

 private:
  // 1 / per_nanosecond_ of a nanosecond: in these units all times are whole numbers.
  __extension__ using units = __int128;

  static std::uint64_t common_divisor(std::uint64_t a, std::uint64_t b) noexcept {
    while (b) {
      const std::uint64_t rest = a % b;
      a = b;
      b = rest;
    }
    return a;
  }
  // What `permits` take.
  [[nodiscard]] units of(std::uint32_t permits) const noexcept {
    return static_cast<units>(interval_) * permits;
  }
  [[nodiscard]] units to_units(time_point t) const noexcept {
    return static_cast<units>(t.time_since_epoch().count()) * per_nanosecond_;
  }
  // The first nanosecond at or after `u`.
  [[nodiscard]] time_point to_time(units u) const noexcept {
    units whole = u / per_nanosecond_;
    if (whole * per_nanosecond_ < u) ++whole;
    if (whole > (duration::max)().count()) return (time_point::max)();
    if (whole < (duration::min)().count()) return (time_point::min)();
    return time_point(duration(static_cast<duration::rep>(whole)));
  }
  // Where the next permit counts from: a request in the very nanosecond of the TAT counts from the
  // TAT, so that waiting until decision.at does not drift.
  [[nodiscard]] units start_at(time_point now) const noexcept {
    const units here = to_units(now);
    return next_ > here - per_nanosecond_ ? next_ : here;
  }

  units next_ = static_cast<units>((duration::min)().count()) << 32;  // the TAT; long ago at first
  std::int64_t interval_ = 0;                                         // units between two permits
  std::uint32_t per_nanosecond_ = 0;                                  // units in a nanosecond
  std::uint32_t burst_;
};

}  // namespace penstock
