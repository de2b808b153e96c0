// benchmarks/baseline/timer_wheel.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A hierarchical timing wheel: 4 levels of 256 slots, a tick of 1 ms, intrusive lists. Start and
/// cancel are a few stores. Only what that needs: no expiry.

#include <cstdint>

namespace baseline {

struct wheel_timer {
  wheel_timer* before;
  wheel_timer* after;
  std::uint64_t tick;  // when it is due
};

class timer_wheel {
 public:
  timer_wheel() {
    for (auto& level : slots_) {
      for (auto& slot : level) slot.before = slot.after = &slot;
    }
  }
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  void start(wheel_timer& t) noexcept {
    const std::uint64_t ahead = t.tick - now_;
    const unsigned level = ahead < 1u << 8 ? 0 : ahead < 1u << 16 ? 1 : ahead < 1u << 24 ? 2 : 3;
    wheel_timer& slot = slots_[level][(t.tick >> (8 * level)) & 255];
    t.before = slot.before;
    t.after = &slot;
    slot.before->after = &t;
    slot.before = &t;
  }
  void cancel(wheel_timer& t) noexcept {
    t.before->after = t.after;
    t.after->before = t.before;
  }

 private:
  wheel_timer slots_[4][256];
  std::uint64_t now_ = 0;
};

}  // namespace baseline
