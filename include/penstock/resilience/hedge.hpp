// penstock/resilience/hedge.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Asks again while the first answer is still awaited, and takes the answer that comes first: for
/// reads where few are slow. Where all are slow it adds load: its budget bounds that.

#include <penstock/resilience/detail/checked_options.hpp>
#include <penstock/resilience/detail/hedge_race.hpp>
#include <penstock/resilience/hedge_options.hpp>
#include <penstock/resilience/policy.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace penstock {

template <outcome_classifier F>
class judged_hedge;

/// A policy that makes further attempts while the ones before have not answered.
///
/// **Shape.** attempt, delay, attempt ... -> the first success; the others are stopped and waited
/// for. A failure begins the next at once; one that is not transient ends all.
/// **Result.** the operation's own: the first success, else the last failure.
/// **Errors.** those of the operation; invalid options stop the program, naming the option.
/// Exceptions end all attempts and pass through, unless one has succeeded before.
/// **Suspends.** as the operation does; until all its attempts have ended.
/// **Cancellation.** a stop ends all attempts, none begins any more. Losers are stopped with the
/// reason `race_lost`; what they yield nevertheless is destroyed.
/// **Ordering.** attempts begin one after the other, each in a turn of the loop of its own.
/// **Thread-safety.** any thread, the same object too. Copies are the same object; a call runs on
/// its loop.
/// **Complexity.** a call: no frame of its own, one timer, two short locks, no allocation; each
/// further attempt a record from the recycler of frames. With `percentile` two looks at the clock.
/// **Lifetime.** a handle; the last copy outlives the calls, what an operation refers to too.
/// **Example.** @snippet tests/resilience/hedge_test.cpp hedge
/// **See also.** `retry`, `retry_budget`, `when_any`.
class hedge : public policy_base<hedge> {
 public:
  static constexpr bool needs_idempotent = true;

  /// **Parameters.** `name` - in events, a string literal; `on_event` - told each further attempt.
  explicit hedge(const hedge_options& o = {}, const char* name = "hedge",
                 observer<hedge_event> on_event = {})
      : object_(std::make_shared<detail::hedge_object>(detail::checked_options(o), std::nullopt,
                                                       name, std::move(on_event))) {}
  /// With a budget that is shared with others, in the place of its own.
  hedge(const hedge_options& o, retry_budget budget, const char* name = "hedge",
        observer<hedge_event> on_event = {})
      : object_(std::make_shared<detail::hedge_object>(
            detail::checked_options(o), std::move(budget), name, std::move(on_event))) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return run_judged(default_classifier{}, std::move(fn));
  }
  /// The same object, for calls whose results `judge` tells apart: a `failure` begins the next
  /// attempt, `ignored` and `canceled` end all.
  template <outcome_classifier F>
  [[nodiscard]] judged_hedge<F> judged_by(F judge) const;

  [[nodiscard]] hedge_stats stats() const noexcept { return object_->stats(); }
  [[nodiscard]] std::string_view name() const noexcept { return object_->name(); }

 private:
  template <outcome_classifier F>
  friend class judged_hedge;

  template <class Judge, class Fn>
  [[nodiscard]] auto run_judged(const Judge& judge, Fn fn) const {
    return detail::hedge_race<Fn, Judge>(*object_, judge, std::move(fn));
  }

  std::shared_ptr<detail::hedge_object> object_;
};

/// What `hedge::judged_by(classifier)` gives.
template <outcome_classifier F>
class judged_hedge : public policy_base<judged_hedge<F>> {
 public:
  static constexpr bool needs_idempotent = true;

  judged_hedge(hedge h, F judge) : hedge_(std::move(h)), judge_(std::move(judge)) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return hedge_.run_judged(judge_, std::move(fn));
  }

 private:
  hedge hedge_;
  F judge_;
};

template <outcome_classifier F>
judged_hedge<F> hedge::judged_by(F judge) const {
  return {*this, std::move(judge)};
}

}  // namespace penstock
