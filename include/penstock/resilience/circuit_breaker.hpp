// penstock/resilience/circuit_breaker.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Stops calling what is down: after too many failures calls are refused for a while, then a few
/// probe whether it is back. One for each thing that can be down by itself: for many of them
/// circuit_breakers.hpp.

#include <penstock/resilience/breaker_permit.hpp>
#include <penstock/resilience/detail/admitted_call.hpp>
#include <penstock/resilience/detail/checked_options.hpp>
#include <penstock/resilience/judged_policy.hpp>
#include <penstock/resilience/policy.hpp>

#include <memory>
#include <utility>

namespace penstock {

/// A circuit breaker, as a policy or by hand.
///
/// **Shape.** closed -> open for `open_for` -> half open -> closed, or open again for longer.
/// **Result.** the operation's own.
/// **Errors.** `errc::circuit_open`, naming it, with `retry_after` where it is known;
/// `errc::closed` after `close()`; invalid options stop the program, naming the option.
/// **Suspends.** as the operation does: nobody waits for a breaker.
/// **Cancellation.** a call that is given up is not counted, and its place as a probe is free
/// again; one that a deadline ends has failed.
/// **Ordering.** results count in the order in which they come; those of calls that began in an
/// earlier state count as `late` only.
/// **Thread-safety.** any thread, the same object too. Copies are the same breaker.
/// **Complexity.** while it is closed a call costs two atomic read-modify-writes when it ends like
/// the one that leaves the window, else up to six; no lock, no allocation. With `window_time`, and
/// in the other states, it takes a short lock. A refusal allocates the text of its error.
/// Times are right to a few milliseconds, and exact when `slow_call`, `open_for`, `half_open_for`
/// or a tenth of `window_time` is below 100 ms.
/// **Lifetime.** a handle; the last copy outlives the calls and permits: else it asserts.
/// **Example.** @snippet tests/resilience/circuit_breaker_test.cpp policy
/// **See also.** `circuit_breakers`, `retry`, `attempt_timeout`.
class circuit_breaker : public policy_base<circuit_breaker> {
 public:
  /// **Parameters.** `name` - in errors and events; `on_event` - told each change of the state.
  explicit circuit_breaker(const circuit_breaker_options& o = {},
                           std::string_view name = "circuit_breaker",
                           observer<breaker_event> on_event = {})
      : circuit_breaker(o, name, {}, std::move(on_event)) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return detail::admitted_call(*this, default_classifier{}, std::move(fn));
  }
  /// The same breaker, for calls whose results `judge` tells apart.
  template <outcome_classifier F>
  [[nodiscard]] judged_policy<circuit_breaker, F> judged_by(F judge) const {
    return {*this, std::move(judge)};
  }

  /// Asks for one call.
  ///
  /// **Result.** `result<breaker_permit>`, which is told how the call ended.
  /// **Errors.** as above.
  /// **Suspends.** never.
  [[nodiscard]] auto acquire() const& noexcept { return acquire_awaiter(*object_); }
  void acquire() const&& = delete;  // the permit would outlive the breaker
  /// The same, outside of tasks, at that time of the loop.
  [[nodiscard]] result<breaker_permit> try_acquire(time_point now) const& noexcept {
    return let_in(*object_, now);
  }
  void try_acquire(time_point now) const&& = delete;

  /// Refuses all calls until `reset()`.
  void force_open() const noexcept { object_->turn_to(breaker_state::forced_open); }
  /// Lets all calls in and judges none.
  void disable() const noexcept { object_->turn_to(breaker_state::disabled); }
  /// Lets all calls in and counts them, but does not open.
  void metrics_only() const noexcept { object_->turn_to(breaker_state::metrics_only); }
  /// Closed, as if it were new, but for the numbers.
  void reset() const noexcept { object_->turn_to(breaker_state::closed); }
  /// Ends it for good: later calls get `errc::closed`. Those under way end as they do.
  void close() const noexcept { object_->turn_to(breaker_state::ended); }

  [[nodiscard]] breaker_state state() const noexcept { return object_->core().state(); }
  /// **Complexity.** O(window), under the lock.
  [[nodiscard]] breaker_stats stats() const noexcept { return object_->core().stats(); }
  [[nodiscard]] std::string_view name() const noexcept { return object_->name(); }

  /// For `detail::admitted_call`.
  [[nodiscard]] auto admit(const environment& env) const noexcept {
    return detail::decided<result<breaker_permit>>(let_in(*object_, object_->arrival(*env.sched)));
  }

 private:
  template <class Key, class Hash>
  friend class circuit_breakers;

  circuit_breaker(const circuit_breaker_options& o, std::string_view name, std::string key,
                  observer<breaker_event> on_event)
      : object_(std::make_shared<detail::breaker_object>(detail::checked_options(o), name,
                                                         std::move(key), std::move(on_event))) {}

  static result<breaker_permit> let_in(detail::breaker_object& b, time_point now) noexcept {
    const auto a = b.admit(now);
    if (!a.admitted) [[unlikely]]
      return b.refusal(a);
    return breaker_permit(b, a.ticket, now);
  }

  // Never suspends: it is for the time of the task's loop.
  class [[nodiscard]] acquire_awaiter {
   public:
    explicit acquire_awaiter(detail::breaker_object& b) noexcept : object_(&b) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
      env_ = static_cast<waiter&>(h.promise()).env;
      return false;
    }
    detail::handle start(waiter& w) noexcept {
      env_ = w.env;
      return detail::completed(w);
    }
    result<breaker_permit> await_resume() const noexcept {
      return let_in(*object_, object_->arrival(*env_->sched));
    }

   private:
    detail::breaker_object* object_;
    const environment* env_ = nullptr;
  };

  std::shared_ptr<detail::breaker_object> object_;
};

}  // namespace penstock
