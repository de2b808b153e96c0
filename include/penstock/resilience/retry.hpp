// penstock/resilience/retry.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Tries an operation again when it fails. Where all callers fail together, tries make it worse:
/// keep attempts few and the backoff random, which are the defaults.

#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/yield.hpp>
#include <penstock/resilience/detail/retry_core.hpp>
#include <penstock/resilience/idempotent.hpp>
#include <penstock/resilience/is_transient.hpp>
#include <penstock/resilience/policy.hpp>

#include <concepts>
#include <functional>
#include <type_traits>

namespace penstock {

/// Options of `retry`.
struct retry_options {
  std::size_t attempts = 3;  ///< in all, the first one too; at least 1
  /// How long to wait after each failure.
  penstock::backoff backoff = exponential(std::chrono::milliseconds(100));
  /// No delay is longer: the backoff is cut to it, and a server that asks for more
  /// (`error::retry_after`) is not tried again.
  duration max_delay = (duration::max)();
};
static_assert(std::is_trivially_copyable_v<retry_options>);

/// Options of `retry` that let it repeat any operation: `retry({.attempts = 3, .repeat = unsafe})`.
struct unsafe_retry_options {
  std::size_t attempts = 3;
  penstock::backoff backoff = exponential(std::chrono::milliseconds(100));
  duration max_delay = (duration::max)();
  unsafe_t repeat;  ///< no default: it must be written
};
static_assert(std::is_trivially_copyable_v<unsafe_retry_options>);

[[nodiscard]] result<> validate(const retry_options& o);
[[nodiscard]] result<> validate(const unsafe_retry_options& o);

namespace detail {
struct asks_is_transient {
  bool operator()(const error& e) const noexcept { return is_transient(e); }
};
// A predicate that throws says no.
template <class Retryable>
bool asks(Retryable& retryable, const error& e) noexcept {
  try {
    return static_cast<bool>(retryable(e));
  } catch (...) {
    return false;
  }
}

// All attempts. `fn` and `retryable` live in this frame.
template <class Result, class Fn, class Retryable>
task<Result> retry_loop(retry_core core, Retryable retryable, Fn fn) {
  for (;;) {
    Result outcome = co_await std::invoke(fn);
    if (outcome.has_value()) co_return outcome;
    const environment& env = co_await this_task::env();
    const bool worth_it = asks(retryable, outcome.error());
    const auto next = core.failed(outcome.error(), worth_it, env.sched->now(),
                                  deadline{env.deadline}, env.sched->random());
    if (next.stop != retry_stop::none)
      co_return tl::unexpected<error>(std::move(outcome).error().stopped_because(next.stop));
    co_await sleep_for(next.delay);
    // A stop at the instant at which the delay was over: no attempt begins.
    if (env.stop->get_token().stop_requested()) co_await yield();
  }
}

inline result<> validate_retry(std::size_t attempts, duration max_delay) {
  if (attempts == 0) return fail(errc::invalid_option, "retry_options", "attempts is 0");
  if (max_delay < duration::zero())
    return fail(errc::invalid_option, "retry_options", "max_delay is negative");
  return {};
}
template <class Options>
retry_core::limits checked_limits(const Options& o) {
  if (auto valid = validate(o); !valid) stop_program(valid.error().message().c_str());
  return {o.attempts, o.backoff, o.max_delay};
}
}  // namespace detail

inline result<> validate(const retry_options& o) {
  return detail::validate_retry(o.attempts, o.max_delay);
}
inline result<> validate(const unsafe_retry_options& o) {
  return detail::validate_retry(o.attempts, o.max_delay);
}

/// Repeats an operation until it succeeds, fails for good, or another attempt makes no sense.
///
/// **Shape.** attempt -> failed -> delay -> attempt ... -> success, or the last error.
/// **Result.** of `co_await policy(idempotent(fn))`: the operation's own `result<T>`.
/// **Errors.** the error of the last attempt; `error::why()` says why it was the last: `attempts`;
/// `non_retryable` (the predicate says so, or the circuit breaker is open); `deadline` (the delay
/// would not end before the environment's deadline); `pushback` (the server does not want to be
/// tried again, or not before `max_delay`); `canceled`. Exceptions pass through; they are not
/// tried again.
/// **Suspends.** as the operation does, and for the delays: `error::retry_after()` of the failure
/// when it has one, else the backoff.
/// **Cancellation.** at once, in an attempt and in a delay; no further attempt begins.
/// **Thread-safety.** immutable: any thread, the same object too, as far as the predicate is.
/// **Complexity.** a task's frame, from the recycler; an error that stops it allocates its text.
/// **Lifetime.** a value; what an operation refers to outlives the `co_await`.
/// **Example.** @snippet tests/resilience/retry_test.cpp retry
/// **See also.** `backoff`, `idempotent`, `with_timeout`.
template <bool RepeatsAll, class Retryable>
class retry_policy : public policy_base<retry_policy<RepeatsAll, Retryable>> {
 public:
  static constexpr bool needs_idempotent = !RepeatsAll;

  retry_policy(const detail::retry_core::limits& l, Retryable retryable)
      : limits_(l), retryable_(std::move(retryable)) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return detail::retry_loop<policy_result_t<Fn>>(detail::retry_core(limits_), retryable_,
                                                   std::move(fn));
  }

 private:
  detail::retry_core::limits limits_;
  Retryable retryable_;
};

/// A policy that tries again what `is_transient`, or what `retryable(error)` says is worth it.
///
/// **Parameters.** `retryable` - `bool(const error&)`; one that throws means no.
/// **Errors.** invalid options stop the program, naming the option.
/// **Example.** @snippet tests/resilience/retry_test.cpp retry
[[nodiscard]] inline retry_policy<false, detail::asks_is_transient> retry(
    const retry_options& o = {}) {
  return {detail::checked_limits(o), {}};
}
template <std::predicate<const error&> Retryable>
[[nodiscard]] retry_policy<false, Retryable> retry(const retry_options& o, Retryable retryable) {
  return {detail::checked_limits(o), std::move(retryable)};
}
/// The same for operations that nobody has marked as idempotent.
[[nodiscard]] inline retry_policy<true, detail::asks_is_transient> retry(
    const unsafe_retry_options& o) {
  return {detail::checked_limits(o), {}};
}
template <std::predicate<const error&> Retryable>
[[nodiscard]] retry_policy<true, Retryable> retry(const unsafe_retry_options& o,
                                                  Retryable retryable) {
  return {detail::checked_limits(o), std::move(retryable)};
}

}  // namespace penstock
