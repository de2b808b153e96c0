// penstock/resilience/detail/codel_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Controlled delay, for calls that wait: whether a queue is a burst that passes, or stands. After
/// Nichols and Jacobson, "Controlling Queue Delay" (2012), in the form for servers of requests:
/// Maurer, "Fail at Scale" (2015). Without a clock.

#include <penstock/base/clock.hpp>

namespace penstock::detail {

// When even the shortest wait of an interval was longer than the target, the queue stands: then
// whoever has waited longer than twice the target is refused, until an interval was better. Nobody
// waits longer than an interval. One thread at a time.
class codel_core {
 public:
  codel_core(duration target, duration interval) noexcept : target_(target), interval_(interval) {}

  // Somebody has waited for `d`, and would be served at `now`. False: it is too late for it.
  bool waited(duration d, time_point now) noexcept {
    if (now >= until_) {
      // Nobody came for another whole interval: it does not stand any more.
      standing_ = shortest_ > target_ && now - until_ < interval_;
      until_ = add_saturated(now, interval_);
      shortest_ = d;
    } else if (d < shortest_) {
      shortest_ = d;
    }
    return d <= (standing_ && 2 * target_ < interval_ ? 2 * target_ : interval_);
  }
  [[nodiscard]] bool standing() const noexcept { return standing_; }

 private:
  duration target_;
  duration interval_;
  duration shortest_ = duration::zero();  // in the interval that is on
  time_point until_ = (time_point::min)();
  bool standing_ = false;
};

}  // namespace penstock::detail
