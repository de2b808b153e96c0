// penstock/base/gcra_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The generic cell rate algorithm, without clock and waiting: evenly spaced permits, and a burst
/// of them after a pause. In any period it admits up to burst + count; where that is too much:
/// exact_window_core.hpp.

#include <penstock/base/gcra_pace.hpp>

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
  explicit gcra_core(rate r, std::uint32_t burst = 1) noexcept : pace_(r, burst) {}

  /// Takes `cost` permits if they are there now. `now` is the loop's time.
  limiter_decision acquire(time_point now, std::uint32_t cost = 1) noexcept {
    return pace_.acquire(next_, now, cost);
  }
  /// Gives back `cost` permits of a decision that admitted, charged to `at`.
  void refund(time_point at, std::uint32_t cost = 1) noexcept {
    static_cast<void>(at);  // what has grown back meanwhile is lost anyway: now is the least
    next_ -= pace_.of(cost);
  }

  /// How many permits are there now.
  [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
    return pace_.available(next_, now);
  }
  /// When `cost` permits could have been taken, one request after the other.
  [[nodiscard]] time_point ready_at(time_point now, std::uint64_t cost) const noexcept {
    return pace_.ready_at(next_, now, cost);
  }
  /// From then on it is as new: nothing is forgotten when it is destroyed.
  [[nodiscard]] time_point fresh_at() const noexcept { return pace_.to_time(next_); }
  /// The most that one request may cost: the burst.
  [[nodiscard]] std::uint32_t limit() const noexcept { return pace_.burst(); }
  [[nodiscard]] std::uint32_t burst() const noexcept { return pace_.burst(); }
  [[nodiscard]] const gcra_pace& pace() const noexcept { return pace_; }

 private:
  gcra_pace::units next_ = gcra_pace::long_ago;  // the TAT
  gcra_pace pace_;
};

}  // namespace penstock
