// penstock/base/fixed_window_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Counts permits in windows that follow each other, without clock and waiting. Cheapest, and what
/// many services mean by "90 per minute"; around a window's end it admits up to twice the count in
/// one period. Where that is too much: exact_window_core.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/base/rate.hpp>

#include <cstdint>

namespace penstock {

/// Admits `rate.count` in a window; a window begins with the first permit after the one before
/// ended.
///
/// **Parameters.** `rate`; an invalid one stops the program.
/// **Errors.** none; a cost above the count is never admitted.
/// **Thread-safety.** one thread at a time.
/// **Complexity.** O(1); 32 bytes.
class fixed_window_core {
 public:
  explicit fixed_window_core(rate r) noexcept : rate_(r) {
    if (!validate(r))
      detail::stop_program("fixed_window_core: rate has a count or period of zero or less");
  }

  /// Takes `cost` permits if they are left in the window.
  limiter_decision acquire(time_point now, std::uint32_t cost = 1) noexcept {
    if (cost > rate_.count) return {};
    if (cost == 0) return {true, now};
    if (now >= end_) {
      used_ = 0;
      end_ = add_saturated(now, rate_.period);
    }
    if (cost > rate_.count - used_) return {false, end_};
    used_ += cost;
    return {true, now};
  }
  /// Gives back `cost` permits that were charged to `at`; too late when that window has ended.
  void refund(time_point at, std::uint32_t cost = 1) noexcept {
    if (add_saturated(at, rate_.period) < end_) return;
    used_ -= cost < used_ ? cost : used_;
    if (used_ == 0) end_ = (time_point::min)();
  }

  /// How many permits are left now.
  [[nodiscard]] std::uint32_t available(time_point now) const noexcept {
    return now >= end_ ? rate_.count : rate_.count - used_;
  }
  /// When `cost` permits could have been taken, one request after the other.
  [[nodiscard]] time_point ready_at(time_point now, std::uint64_t cost) const noexcept {
    const std::uint32_t room = available(now);
    if (cost <= room) return now;
    const time_point next = now >= end_ ? add_saturated(now, rate_.period) : end_;
    const std::uint64_t windows = (cost - room - 1) / rate_.count;  // full ones before the last
    return add_saturated(next, multiply_saturated(rate_.period, windows));
  }
  /// From then on it is as new.
  [[nodiscard]] time_point fresh_at() const noexcept { return end_; }
  /// The most that one request may cost: the count.
  [[nodiscard]] std::uint32_t limit() const noexcept { return rate_.count; }

 private:
  rate rate_;
  std::uint32_t used_ = 0;  // in the window that ends at end_
  time_point end_ = (time_point::min)();
};

}  // namespace penstock
