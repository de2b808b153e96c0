// penstock/resilience/detail/retry_loop.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The attempts of `retry` and the delays between them.

#include <penstock/base/log.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/resilience/detail/retry_core.hpp>
#include <penstock/resilience/is_transient.hpp>
#include <penstock/resilience/policy_operation.hpp>
#include <penstock/resilience/retry_budget.hpp>
#include <penstock/resilience/retry_event.hpp>

#include <functional>
#include <utility>

namespace penstock::detail {

struct asks_is_transient {
  bool operator()(const error& e) const noexcept { return is_transient(e); }
};
// In the place of a budget and of an observer where there is none.
struct no_budget {};
struct tells_nobody {};

// A predicate that throws says no.
template <class Retryable>
bool asks(Retryable& retryable, const error& e) noexcept {
  try {
    return static_cast<bool>(retryable(e));
  } catch (...) {
    return false;
  }
}

// A retry that was withdrawn, until it begins: given back when the delay before it is cut off.
template <class Budget>
class withdrawal {
 public:
  void began() const noexcept {}
};
template <>
class withdrawal<retry_budget> {
 public:
  withdrawal(const retry_budget& from, time_point at) noexcept : from_(&from), at_(at) {}
  withdrawal(const withdrawal&) = delete;
  withdrawal& operator=(const withdrawal&) = delete;
  ~withdrawal() {
    if (from_) from_->give_back(at_);
  }
  void began() noexcept { from_ = nullptr; }

 private:
  const retry_budget* from_;
  time_point at_;
};

inline constinit atomic<bool> nested_retry_told{false};
// Once: whoever put one retry around another may not know it.
PENSTOCK_NOINLINE inline void tell_nested_retry() noexcept {
  if (!nested_retry_told.exchange(true, memory_order_relaxed))
    log(log_level::warning, "a retry inside of another retry: their attempts multiply");
}

// What a policy is made of, but for what decides whether an error is worth another attempt.
template <class Budget, class Observer>
struct retry_parts {
  retry_core::limits limits;
  [[no_unique_address]] Budget budget;
  [[no_unique_address]] Observer told;

  static constexpr bool has_budget = std::is_same_v<Budget, retry_budget>;

  // The request is sent. What is repeated around was counted when it began.
  void begin(environment& mine) const noexcept {
    ++mine.retries;
    mine.attempt = 0;
    if constexpr (has_budget) {
      if (mine.budget == budget.id()) return;
      mine.budget = budget.id();
      budget.deposit(budget.time_of(*mine.sched));
    }
  }
  // The decision, and what follows from it at once.
  retry_core::decision failed(retry_core& core, const error& e, bool worth_it,
                              const environment& mine, time_point now) const noexcept {
    auto next = core.failed(e, worth_it, now, deadline{mine.deadline}, mine.sched->random());
    if constexpr (has_budget) {
      if (next.stop == retry_stop::none && !budget.try_withdraw(now))
        next = {retry_stop::budget, {}};
    }
    if (mine.retries > 1 && next.stop == retry_stop::none) tell_nested_retry();
    if constexpr (std::is_same_v<Observer, retry_observer>)
      told({mine.attempt, e, next.stop, next.delay, mine.retries - 1});
    return next;
  }
  withdrawal<Budget> withdrawn([[maybe_unused]] time_point now) const noexcept {
    if constexpr (has_budget)
      return withdrawal<Budget>(budget, now);
    else
      return {};
  }
};

// All attempts. `retryable`, `fn` and `mine`, which they run under, live in this frame; `parts`
// outlives it.
template <class Result, class Parts, class Retryable, class Fn>
task<Result> retry_loop(const Parts& parts, Retryable retryable, Fn fn, environment mine) {
  retry_core core(parts.limits);
  co_await install_environment(mine);
  parts.begin(mine);
  for (;;) {
    ++mine.attempt;
    Result outcome = co_await std::invoke(fn);
    if (outcome.has_value()) co_return outcome;
    const time_point now = mine.sched->now();
    const auto next =
        parts.failed(core, outcome.error(), asks(retryable, outcome.error()), mine, now);
    if (next.stop != retry_stop::none)
      co_return tl::unexpected<error>(std::move(outcome).error().stopped_because(next.stop));
    auto withdrawn = parts.withdrawn(now);
    co_await sleep_for(next.delay);
    // A stop at the instant at which the delay was over: no attempt begins.
    if (mine.stop->get_token().stop_requested()) co_await yield();
    withdrawn.began();
  }
}

}  // namespace penstock::detail
