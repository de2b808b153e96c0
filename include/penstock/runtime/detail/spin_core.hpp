// penstock/runtime/detail/spin_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How long a loop looks for work before it sleeps, decided by how long it waited lately. Like the
/// polling of a hypervisor before it halts: worth it only where work comes soon.

#include <penstock/base/clock.hpp>
#include <penstock/base/lesser.hpp>

namespace penstock::detail {

// All times of a wait are counted from when the loop had run out of work.
class spin_core {
 public:
  explicit constexpr spin_core(duration limit) noexcept : limit_(limit), longest_(limit) {}

  [[nodiscard]] constexpr bool is_on() const noexcept { return limit_ > duration::zero(); }

  // A wait begins: how long to look. Zero: sleep at once.
  constexpr duration look() noexcept {
    looks_ = skip_ == 0;
    if (!looks_) {
      --skip_;
      return duration::zero();
    }
    if (misses_ != 0) return limit_;  // finds out whether it is worth it again
    return detail::lesser(limit_, detail::larger(2 * longest_, least));
  }
  // The look found work.
  constexpr void found(duration after) noexcept {
    misses_ = 0;
    remember(after);
  }
  // The loop slept, or was about to. When work was there before the limit the next wait begins with
  // a look; when a look was in vain, only one of the next 2, 4, ... 256 does.
  constexpr void slept(duration after) noexcept {
    if (after <= limit_) {
      skip_ = 0;
      remember(after);
    } else if (looks_) {
      misses_ = detail::lesser(misses_ + 1, most_misses);
      skip_ = (1u << misses_) - 1;
    }
  }

 private:
  // To sleep and to be woken takes about as long.
  static constexpr duration least = std::chrono::microseconds(20);
  static constexpr unsigned most_misses = 8;

  // The longest wait up to the limit, fading.
  constexpr void remember(duration after) noexcept {
    longest_ = detail::larger(longest_ - longest_ / 64, detail::lesser(after, limit_));
  }

  duration limit_;
  duration longest_;
  unsigned misses_ = 0;  // looks in vain since the last that was not
  unsigned skip_ = 0;    // waits that begin with sleep
  bool looks_ = false;   // this wait began with a look
};

}  // namespace penstock::detail
