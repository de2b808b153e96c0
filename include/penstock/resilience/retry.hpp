// penstock/resilience/retry.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Tries an operation again when it fails. Where all callers fail together, tries make it worse:
/// keep attempts few and the backoff random, which are the defaults.

#include <penstock/resilience/detail/checked_options.hpp>
#include <penstock/resilience/detail/retry_loop.hpp>
#include <penstock/resilience/policy.hpp>
#include <penstock/resilience/retry_options.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace penstock {

/// Repeats an operation until it succeeds, fails for good, or another attempt makes no sense.
///
/// **Shape.** attempt -> failed -> delay -> attempt ... -> success, or the last error.
/// **Result.** of `co_await policy(idempotent(fn))`: the operation's own `result<T>`.
/// **Errors.** the error of the last attempt; `error::why()` says why it was the last: `attempts`;
/// `budget` (the retry budget is used up); `non_retryable` (the predicate says so, or the circuit
/// breaker is open); `deadline` (the delay would not end before the environment's deadline);
/// `pushback` (the server does not want to be tried again, or not before `max_delay`); `canceled`.
/// Exceptions pass through; they are not tried again.
/// **Suspends.** as the operation does, and for the delays: `error::retry_after()` of the failure
/// when it has one, else the backoff.
/// **Cancellation.** at once, in an attempt and in a delay; no further attempt begins.
/// **Thread-safety.** immutable: any thread, the same object too, as far as the predicate is.
/// **Complexity.** a task's frame, from the recycler; an error that stops it allocates its text.
/// **Lifetime.** a value; it and what an operation refers to outlive the `co_await`.
/// **Example.** @snippet tests/resilience/retry_test.cpp retry
/// **See also.** `backoff`, `idempotent`, `with_timeout`.
template <bool RepeatsAll, class Retryable, class Budget, class Observer>
class retry_policy : public policy_base<retry_policy<RepeatsAll, Retryable, Budget, Observer>> {
 public:
  static constexpr bool needs_idempotent = !RepeatsAll;

  retry_policy(detail::retry_parts<Budget, Observer> parts, Retryable retryable)
      : parts_(std::move(parts)), retryable_(std::move(retryable)) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return detail::retry_loop<policy_result_t<Fn>>(parts_, retryable_, std::move(fn),
                                                   environment{});
  }

 private:
  detail::retry_parts<Budget, Observer> parts_;
  Retryable retryable_;
};

namespace detail {
struct is_budget {
  template <class E>
  static constexpr bool of = std::is_same_v<E, retry_budget>;
};
struct is_observer {
  template <class E>
  static constexpr bool of = std::is_same_v<E, retry_observer>;
};
struct is_predicate {
  template <class E>
  static constexpr bool of = std::predicate<E, const error&>;
};
// The extra that `Kind` names, or a default.
template <class Kind, class Default>
Default picked() {
  return {};
}
template <class Kind, class Default, class First, class... Rest>
auto picked(First& first, Rest&... rest) {
  if constexpr (Kind::template of<First>)
    return std::move(first);
  else
    return picked<Kind, Default>(rest...);
}
template <class Kind, class... Extras>
inline constexpr std::size_t how_many = (std::size_t{Kind::template of<Extras>} + ... + 0);

template <bool RepeatsAll, class Options, class... Extras>
auto make_retry(const Options& options, Extras&... extras) {
  static_assert(how_many<is_budget, Extras...> <= 1, "retry has one budget");
  static_assert(how_many<is_observer, Extras...> <= 1, "retry has one on_retry");
  static_assert(how_many<is_predicate, Extras...> <= 1, "retry has one predicate");
  const Options& o = checked_options(options);
  auto retryable = picked<is_predicate, asks_is_transient>(extras...);
  auto budget = picked<is_budget, no_budget>(extras...);
  auto told = picked<is_observer, tells_nobody>(extras...);
  return retry_policy<RepeatsAll, decltype(retryable), decltype(budget), decltype(told)>(
      {{o.attempts, o.backoff, o.max_delay}, std::move(budget), std::move(told)},
      std::move(retryable));
}
}  // namespace detail

/// What `retry` may be given behind its options: a predicate, a `retry_budget`, `on_retry(fn)`.
template <class E>
concept retry_extra =
    detail::is_budget::of<E> || detail::is_observer::of<E> || detail::is_predicate::of<E>;

/// A policy that tries again what `is_transient`, or what a predicate says is worth it.
///
/// **Parameters.** `extras` - in any order, each at most once: a predicate, `bool(const error&)`
/// (one that throws means no); a `retry_budget`, which may refuse a retry; `on_retry(fn)`, which
/// is told each failure.
/// **Errors.** invalid options stop the program, naming the option.
/// **Example.** @snippet tests/resilience/retry_test.cpp retry
template <retry_extra... Extras>
[[nodiscard]] auto retry(const retry_options& o, Extras... extras) {
  return detail::make_retry<false>(o, extras...);
}
[[nodiscard]] inline auto retry() { return retry(retry_options{}); }
/// The same for operations that nobody has marked as idempotent.
template <retry_extra... Extras>
[[nodiscard]] auto retry(const unsafe_retry_options& o, Extras... extras) {
  return detail::make_retry<true>(o, extras...);
}

}  // namespace penstock
