// penstock/stream/detail/alarm.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Time for stages: waits until a moment that may move on while it waits. What is armed stays
/// armed; when it fires too early it is armed again, so that a moment that moves with each item
/// costs no timer operation.

#include <penstock/core/sleep.hpp>
#include <penstock/stream/detail/await_slot.hpp>
#include <penstock/stream/detail/flow.hpp>
#include <penstock/stream/stream.hpp>

#include <utility>

namespace penstock::detail {

// As a stage's member, for the pump that pulls it.
class stage_timer {
 public:
  // `item`: it is `at`, or later. `at` is never earlier than in the call before that waits still.
  pulled until(pump& p, time_point at) {
    if (!p.may_begin()) return pulled::wait;  // it is not known yet on which loop
    for (;;) {
      if (now(p) >= at) return pulled::item;
      if (!slot_.busy()) slot_.set(sleep_until(at));
      if (const pulled s = slot_.advance(p); s != pulled::item) return s;
      slot_.take();
    }
  }
  static time_point now(const pump& p) noexcept { return p.of().env().sched->now(); }

 private:
  await_slot<sleep_awaiter> slot_;
};

// As a part of an eager stage, with a pump of its own: Stage::news() when it fires.
template <class Stage>
class alarm final : pump {
 public:
  alarm() noexcept = default;
  alarm(alarm&&) noexcept : pump() {}  // before it is opened

  void open(Stage& s, flow& f) noexcept {
    stage_ = &s;
    attach(f);
  }
  // Whether it is `at`; else news() is called then.
  bool is_past(time_point at) { return timer_.until(*this, at) == pulled::item; }
  [[nodiscard]] time_point now() const noexcept { return stage_timer::now(*this); }

 private:
  step wake() noexcept override { return stage_->news(); }

  Stage* stage_ = nullptr;
  stage_timer timer_;
};

// What operators return that have a time and nothing else: Stream<Up>(up, d).
template <template <class> class Stream>
class timed_stage : public stream_stage {
 public:
  explicit timed_stage(duration d) noexcept : d_(d) {}
  template <class Up>
  auto over(Up&& up) const {
    return Stream<Up>(std::move(up), d_);
  }

 private:
  duration d_;
};

}  // namespace penstock::detail
