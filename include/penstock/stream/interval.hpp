// penstock/stream/interval.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A tick each time a period has passed: polls, heartbeats, reports.

#include <penstock/stream/detail/alarm.hpp>
#include <penstock/stream/stream.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>

namespace penstock {

/// When `interval` ticks first.
enum class first_tick : unsigned char {
  at_once,         ///< when it is pulled first
  after_a_period,  ///< a period later
};
/// What `interval` does about ticks that were due while nobody pulled.
enum class missed_ticks : unsigned char {
  burst,  ///< they come at once, one after the other, until it has caught up
  delay,  ///< the next one comes a whole period after the late one
  skip,   ///< they are left out: the next one is on the old grid again
};
/// Options of `interval`.
struct interval_options {
  first_tick first = first_tick::at_once;
  missed_ticks missed = missed_ticks::burst;
};
static_assert(std::is_trivially_copyable_v<interval_options>);

namespace detail {
class interval_stream : public stream_interface<interval_stream> {
 public:
  using value_type = std::uint64_t;
  static constexpr bool is_eager = false;

  interval_stream(duration d, interval_options o) noexcept : period_(d), options_(o) {}

  void open(flow&) noexcept {}
  pulled pull(pump& p, std::optional<value_type>& out) {
    if (period_ <= duration::zero()) {
      p.of().fail(error(errc::invalid_option).with("interval", "a period of zero or less"));
      return pulled::cut;
    }
    if (!p.may_begin()) return pulled::wait;  // nobody knows the time yet
    if (!begun_) {
      begun_ = true;
      next_ = stage_timer::now(p);
      if (options_.first == first_tick::after_a_period) next_ = add_saturated(next_, period_);
    }
    if (const pulled s = timer_.until(p, next_); s != pulled::item) return s;
    next_ = add_saturated(base_after(stage_timer::now(p)), period_);
    out.emplace(count_++);
    return pulled::item;
  }

 private:
  // From where the period to the next tick is counted, at a tick that comes `now`.
  [[nodiscard]] time_point base_after(time_point now) const noexcept {
    // Not later than timers are: else the ticks of `delay` would drift.
    constexpr duration on_time = std::chrono::milliseconds(5);
    const duration late = now - next_;
    if (options_.missed == missed_ticks::skip) return next_ + late / period_ * period_;
    if (options_.missed == missed_ticks::delay && late > on_time) return now;
    return next_;
  }

  duration period_;
  interval_options options_;
  bool begun_ = false;
  time_point next_{};
  value_type count_ = 0;
  stage_timer timer_;
};
}  // namespace detail

/// 0, 1, 2, ..., one each `d`.
///
/// **Shape.** interval(3ms) | take(3): `0--1--(2|)`; with a consumer that is busy for 4 ms:
/// `0---1---2---|`
/// **Parameters.** `d` - the period, more than zero. `options.first` - whether the first tick comes
/// at once; `options.missed` - what becomes of ticks that nobody pulled in time. Periods are
/// counted from the first pull.
/// **Errors.** `errc::invalid_option` for a period of zero or less.
/// **Suspends.** until the next tick.
/// **Ordering.** emits when it is time and it is pulled; backpressures never: a slow consumer makes
/// ticks late, and `missed` says what follows; with `delay` a tick counts as late from 5 ms on;
/// completes never: `take(n)`, or a stop; fails never; cancels the wait.
/// **Complexity.** one timer; no allocation.
/// **Example.** @snippet tests/stream/interval_test.cpp interval
template <class Rep, class Period>
[[nodiscard]] detail::interval_stream interval(std::chrono::duration<Rep, Period> d,
                                               interval_options options = {}) noexcept {
  return {to_duration(d), options};
}

}  // namespace penstock
