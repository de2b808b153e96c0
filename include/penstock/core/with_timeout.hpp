// penstock/core/with_timeout.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bounds the time of anything that can be awaited. For a limit per attempt inside a retry use
/// `attempt_timeout`.

#include <penstock/core/detail/scope.hpp>

#include <string_view>

namespace penstock {
namespace detail {
// "50 ms": in the largest unit that keeps all of it. Without fmt, which core does not include.
inline const char* write_limit(duration d, char (&to)[24]) noexcept {
  constexpr char prefixes[] = {'n', 'u', 'm'};
  auto count = static_cast<std::uint64_t>(d.count() < 0 ? 0 : d.count());
  std::size_t unit = 0;
  while (unit < 3 && count != 0 && count % 1000 == 0) {
    count /= 1000;
    ++unit;
  }
  char* at = to + sizeof to;
  *--at = '\0';
  *--at = 's';
  if (unit < 3) *--at = prefixes[unit];
  *--at = ' ';
  do {
    *--at = static_cast<char>('0' + count % 10);
    count /= 10;
  } while (count != 0);
  return at;
}
// Only when the time is over: what is in time formats nothing.
PENSTOCK_NOINLINE inline error timeout_error(bool relative, duration d) noexcept {
  if (!relative) return error(errc::timed_out).with("with_deadline");
  char text[24];
  return error(errc::timed_out).with("with_timeout", write_limit(d, text));
}

template <class A>
class timeout_awaiter : public leaf<timeout_awaiter<A>>, timer {
  using R = resume_t<A>;
  using out = as_result_t<R>;

 public:
  timeout_awaiter(duration d, A&& a) : for_(d), relative_(true), child_(std::move(a)) {}
  timeout_awaiter(time_point tp, A&& a) : child_(std::move(a)) { at = tp; }
  timeout_awaiter(timeout_awaiter&& o)
      : leaf<timeout_awaiter>(),
        timer(),
        for_(o.for_),
        relative_(o.relative_),
        child_(std::move(o.child_)) {
    at = o.at;
  }
  ~timeout_awaiter() {
    if (armed) env_.sched->cancel_timer(*this);
  }

  suspension start(waiter& w) {
    up_ = &w;
    scheduler& s = *w.env->sched;
    const about_now now = s.about();
    if (relative_) at = add_saturated(now.latest, for_);
    phase = timer_phase::scope;
    env_ = *w.env;
    env_.stop = &link_.own;
    if (count_of(at) < count_of(env_.deadline)) env_.deadline = at;
    link_.open(w);
    child_.open(*this, 0, w, env_);
    if (relative_ ? for_ <= duration::zero() : is_over(s, now))
      on_time();
    else if (relative_ && !is_never(at))
      s.add_timer_in(*this, for_);
    else if (!is_never(at))
      s.add_timer(*this);
    return child_.begin();
  }
  step child_ended(std::size_t) noexcept {
    if (armed) env_.sched->cancel_timer(*this);
    link_.close();
    if (child_.end() == child_end::stopped && !(expired_ && !stop_requested(*up_))) {
      return {{}, up_, nullptr, true};
    }
    return {{}, up_};
  }
  [[nodiscard]] out await_resume() {
    if (child_.end() == child_end::stopped) {
      return tl::unexpected<error>(timeout_error(relative_, for_));
    }
    if constexpr (std::is_void_v<R>) {
      child_.awaiter().await_resume();
      return out();
    } else {
      return out(child_.awaiter().await_resume());
    }
  }

 private:
  bool is_over(scheduler& s, const about_now& now) const noexcept {
    if (count_of(at) <= count_of(now.earliest)) return true;
    return count_of(at) <= count_of(now.latest) && count_of(at) <= count_of(s.now());
  }
  void on_time() noexcept override { expired_ = link_.own.request_stop(stop_reason::deadline); }

  duration for_{};
  bool relative_ = false;
  bool expired_ = false;  // this scope's own deadline made the stop
  waiter* up_ = nullptr;
  environment env_;
  stop_link link_{"with_timeout"};
  scope_child<A, timeout_awaiter> child_;
};
}  // namespace detail

/// Awaits `a`, for at most `d`.
///
/// **Parameters.** `d` - any chrono duration; with zero or less only what completes at once
/// succeeds.
/// **Result.** `result<T>` of what `a` yields, flattened when `a` yields a result.
/// **Errors.** `errc::timed_out` when `d` passed first, as "with_timeout '50 ms': timed out"; the
/// errors of `a`, if it yields a result. When `a` completed at the same instant its result wins.
/// **Suspends.** as `a` does. On expiry `a` is stopped (reason `deadline`) and waited for. Never
/// early; late by what is left of the loop's turn in which it began, and a tick.
/// **Cancellation.** a stop from outside ends `a` and unwinds; when both happen by the time `a` has
/// ended, the outer one wins.
/// **Complexity.** one timer, O(1), no allocation; what completes at once costs no look at the
/// clock; what timed out allocates the error's text.
/// **See also.** `with_deadline`, `this_task::deadline`.
template <class Rep, class Period, awaitable A>
[[nodiscard]] auto with_timeout(std::chrono::duration<Rep, Period> d, A&& a) {
  return detail::timeout_awaiter<detail::awaiter_t<A>>(to_duration(d),
                                                       detail::awaiter_of(std::forward<A>(a)));
}
/// The same with a point of the loop's monotonic clock; `time_point::max()` is no limit.
template <awaitable A>
[[nodiscard]] auto with_deadline(time_point tp, A&& a) {
  return detail::timeout_awaiter<detail::awaiter_t<A>>(tp, detail::awaiter_of(std::forward<A>(a)));
}

}  // namespace penstock
