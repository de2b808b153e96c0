// penstock/core/sleep.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Waiting for time to pass. To bound the time of something else use with_timeout.hpp.

#include <penstock/core/awaitable.hpp>
#include <penstock/core/scheduler.hpp>

namespace penstock {
namespace detail {
// Timer and stop belong to the same loop: no race between them.
class sleep_awaiter : public leaf<sleep_awaiter>, timer, stop_node {
 public:
  explicit sleep_awaiter(duration d) noexcept : for_(d), relative_(true) {}
  explicit sleep_awaiter(time_point tp) noexcept { at = tp; }
  sleep_awaiter(sleep_awaiter&& o) noexcept
      : leaf(), timer(), stop_node(), for_(o.for_), relative_(o.relative_) {
    at = o.at;
  }
  ~sleep_awaiter() { disarm(); }

  suspension start(waiter& w) noexcept {
    scheduler& s = *w.env->sched;
    if (stop_requested(w)) [[unlikely]]
      return stopped_now(w);
    const time_point now = s.now();
    if (relative_) at = add_saturated(now, for_);
    if (count_of(at) <= count_of(now)) {
      s.post(w);
      return parked();
    }
    who_ = &w;
    w.env->stop->add(*this);
    if (!is_never(at)) s.add_timer(*this);
    return parked();
  }
  void await_resume() noexcept { disarm(); }

 private:
  void disarm() noexcept {
    if (!who_) return;
    if (armed) who_->env->sched->cancel_timer(*this);
    scope_stop::remove(*this);
    who_ = nullptr;
  }
  void on_time() noexcept override {
    scope_stop::remove(*this);
    who_->env->sched->post(*who_);
  }
  void on_stop() noexcept override {
    if (armed) who_->env->sched->cancel_timer(*this);
    who_->env->sched->post_stopped(*who_);
  }
  wait_info info() const noexcept override { return {"sleep", nullptr, who_, nullptr, at}; }

  duration for_{};
  waiter* who_ = nullptr;
  bool relative_ = false;
};
}  // namespace detail

/// Suspends the task for at least `d`.
///
/// **Parameters.** `d` - any chrono duration; zero or less is one turn of the ready queue, as
/// `yield`.
/// **Suspends.** always.
/// **Cancellation.** ends at once; nothing is lost.
/// **Ordering.** never early; late by at most one tick of the loop's wheel (1 ms) plus the wake;
/// exact in a test runtime.
/// **Complexity.** O(1), no allocation.
template <class Rep, class Period>
[[nodiscard]] detail::sleep_awaiter sleep_for(std::chrono::duration<Rep, Period> d) noexcept {
  return detail::sleep_awaiter(to_duration(d));
}
/// Suspends the task until `tp` of the loop's monotonic clock; a past one is one turn, as `yield`,
/// and `time_point::max()` is never: only a stop ends it.
[[nodiscard]] inline detail::sleep_awaiter sleep_until(time_point tp) noexcept {
  return detail::sleep_awaiter(tp);
}

}  // namespace penstock
