// penstock/resilience/adaptive_limit.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// So many calls at once as the other side does without making them wait: the number is found from
/// how long calls take. Where it is known: bulkhead.hpp.

#include <penstock/resilience/adaptive_limit_options.hpp>
#include <penstock/resilience/detail/adaptive_object.hpp>
#include <penstock/resilience/detail/admitted_call.hpp>
#include <penstock/resilience/judged_policy.hpp>
#include <penstock/resilience/policy.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace penstock {

/// Bounds how many calls run at once, and finds the bound by itself.
///
/// **Shape.** call -> a place, or a wait of at most `max_wait` for one, or a refusal; after each
/// window of calls another limit.
/// **Result.** the operation's own.
/// **Errors.** `errc::overloaded`, naming it and why; `errc::closed` after `close()`; invalid
/// options stop the program, naming the option.
/// **Suspends.** while all places are taken, if it may wait; then as the operation does.
/// **Cancellation.** a wait that is stopped takes no place; a call that is stopped gives it back
/// and is not counted; one that a deadline ends has failed.
/// **Ordering.** first come, first served.
/// **Thread-safety.** any thread, the same object too. Copies are the same limit; the observer is
/// called without a lock.
/// **Complexity.** as `bulkhead`, two looks at the clock and a short lock; no allocation.
/// **Lifetime.** a handle; the last copy outlives the calls.
/// **Example.** @snippet tests/resilience/adaptive_limit_test.cpp adaptive_limit
/// **See also.** `bulkhead`, `load_shed`.
class adaptive_limit : public policy_base<adaptive_limit> {
 public:
  /// **Parameters.** `name` - in errors and events, a string literal; `on_event` - told each change
  /// of the limit.
  explicit adaptive_limit(const adaptive_limit_options& o = {}, const char* name = "adaptive_limit",
                          observer<adaptive_limit_event> on_event = {})
      : object_(std::make_shared<detail::adaptive_object>(detail::checked_options(o), name,
                                                          std::move(on_event))) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return detail::admitted_call(*this, default_classifier{}, std::move(fn));
  }
  /// The same limit, for calls whose results `judge` tells apart.
  template <outcome_classifier F>
  [[nodiscard]] auto judged_by(F judge) const {
    return judged_policy<adaptive_limit, F>(*this, std::move(judge));
  }

  /// Ends all waits, and later calls at once, with `errc::closed`. What runs ends as it does.
  void close() const noexcept { object_->places().places().close(); }
  [[nodiscard]] adaptive_limit_stats stats() const noexcept { return object_->stats(); }
  [[nodiscard]] std::string_view name() const noexcept { return object_->places().name(); }

  /// For `detail::admitted_call`.
  [[nodiscard]] std::optional<result<detail::adaptive_permit>> try_admit(
      const environment& env) const noexcept {
    auto place = object_->places().try_enter();
    if (!place) return std::nullopt;
    return permit(*object_, *std::move(place), env);
  }
  /// The same, when that has found no place.
  [[nodiscard]] auto admit(const environment& env) const { return wait_in(*object_, env); }

 private:
  static result<detail::adaptive_permit> permit(detail::adaptive_object& o, semaphore_permit place,
                                                const environment& env) noexcept {
    return detail::adaptive_permit(o, std::move(place), env.sched->now());
  }
  static task<result<detail::adaptive_permit>> wait_in(detail::adaptive_object& o,
                                                       const environment& env) {
    auto place = co_await o.places().enter();
    if (!place) co_return tl::unexpected<error>(std::move(place).error());
    co_return permit(o, *std::move(place), env);
  }

  std::shared_ptr<detail::adaptive_object> object_;
};

}  // namespace penstock
