// penstock/resilience/fallback.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Another answer in the place of an error: an older one, a default, another server. To try the
/// same again use retry.hpp.

#include <penstock/resilience/policy.hpp>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
// What a fallback may answer: a T, a result<T>, or an awaitable of either.
template <class T>
struct answer_in_place {
  using type = T;
};
template <awaitable A>
struct answer_in_place<A> {
  using type = await_result_t<A>;
};
template <class F, class Result>
concept fallback_for = std::invocable<const F&, error> &&
    std::convertible_to<typename answer_in_place<std::invoke_result_t<const F&, error>>::type,
                        Result>;

struct any_error {
  bool operator()(const error& e) const noexcept { return e != errc::canceled; }
};
// Whether the answer is wanted: what was canceled stays so, and a predicate that throws says no.
template <class When>
bool wants_instead(const When& when, const error& e) noexcept {
  if (e == errc::canceled) return false;
  try {
    return static_cast<bool>(when(e));
  } catch (...) {
    return false;
  }
}

template <class F, class When, class Fn>
task<policy_result_t<Fn>> call_or(const F& instead, const When& when, Fn fn) {
  policy_result_t<Fn> answer = co_await std::invoke(fn);
  if (answer.has_value() || !wants_instead(when, answer.error())) co_return answer;
  error why = std::move(answer).error();
  if constexpr (awaitable<std::invoke_result_t<const F&, error>>) {
    co_return co_await instead(std::move(why));
  } else {
    co_return instead(std::move(why));
  }
}
}  // namespace detail

/// A policy that answers in the place of an error. Made by `fallback`.
template <class F, class When>
class fallback_policy : public policy_base<fallback_policy<F, When>> {
 public:
  fallback_policy(F instead, When when) : instead_(std::move(instead)), when_(std::move(when)) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    static_assert(detail::fallback_for<F, policy_result_t<Fn>>,
                  "the function of fallback() makes a value of the operation's type, a result of "
                  "it, or an awaitable of either, out of an error");
    return detail::call_or(instead_, when_, std::move(fn));
  }

 private:
  F instead_;
  When when_;
};

/// Answers by `instead(error)` when the operation has failed.
///
/// **Shape.** value -> value; error -> `instead(error)`, if `when(error)`; else the error.
/// **Parameters.** `instead` - from the `error` to a value, a `result`, or an awaitable of either;
/// called as const, by several calls at once. `when` - `bool(const error&)`, which errors it is
/// for: all by default; one that throws means no.
/// **Errors.** those that `instead` returns, and those that it is not for: never `errc::canceled`.
/// Exceptions, of the operation and of `instead`, pass through.
/// **Suspends.** as the operation does, and what `instead` returns.
/// **Cancellation.** at once, in both. A stop, and a deadline around, are not answered.
/// **Thread-safety.** as the functions are.
/// **Complexity.** a task's frame, from the recycler.
/// **Lifetime.** a value, with copies of both functions.
/// **Example.** @snippet tests/resilience/fallback_test.cpp fallback
/// **See also.** `retry`, `circuit_breaker`.
template <class F, std::predicate<const error&> When = detail::any_error>
requires std::invocable < const std::decay_t<F>
&, error > [[nodiscard]] auto fallback(F&& instead, When when = {}) {
  return fallback_policy<std::decay_t<F>, When>(std::forward<F>(instead), std::move(when));
}

}  // namespace penstock
