// penstock/resilience/retry.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Runs an operation again when it failed. A policy: `retry(options)` makes it, calling it with an
/// operation gives the awaitable.

#include <penstock/base/backoff.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/resilience/repeatable.hpp>
#include <penstock/resilience/retry_core.hpp>

namespace penstock {
namespace detail {
// The default: everything is worth another attempt, but what says by itself that it is not.
struct retry_by_default {
  bool operator()(const error& e) const noexcept {
    return e != errc::canceled && e != errc::circuit_open && e != errc::invalid_option &&
           e != errc::never_satisfiable && e != errc::closed && e != errc::would_deadlock;
  }
};

// A predicate that throws decides against another attempt.
template <class Predicate>
bool asks_again(Predicate& predicate, const error& e) noexcept {
  try {
    return predicate(e);
  } catch (...) {
    return false;
  }
}

template <class Op, class Predicate>
task<await_result_t<std::invoke_result_t<Op&>>> run_with_retry(retry_options options,
                                                               Predicate predicate, Op op) {
  using out = await_result_t<std::invoke_result_t<Op&>>;
  const environment& env = co_await this_task::env();
  for (int attempt = 1;; ++attempt) {
    out outcome = co_await op();
    if (outcome) co_return outcome;
    const bool again = asks_again(predicate, outcome.error());
    const auto next = next_attempt(options, attempt, again, outcome.error(), env.sched->now(),
                                   env.deadline, env.sched->random());
    if (next.stop != retry_stop::none) {
      co_return fail(std::move(outcome).error().stopped_because(next.stop));
    }
    co_await sleep_for(next.delay);
  }
}
}  // namespace detail

/// A retry, ready to be applied to operations. Copyable, a few words; made by `retry`.
template <class Predicate>
class retry_policy {
 public:
  retry_policy(const retry_options& o, Predicate p) : options_(o), predicate_(std::move(p)) {}

  /// Applies it: `co_await guarded(idempotent(call))`.
  ///
  /// **Result.** what the operation yields, of the last attempt.
  template <class Op>
  requires operation_of_result<Op>
  [[nodiscard]] auto operator()(Op op) const {
    if constexpr (!is_idempotent<Op>) {
      PENSTOCK_ASSERT(options_.repeat == repeat::unsafe,
                      "retry: mark the operation idempotent(), or say .repeat = repeat::unsafe");
    }
    return detail::run_with_retry<Op, Predicate>(options_, predicate_, std::move(op));
  }

 private:
  retry_options options_;
  Predicate predicate_;
};

/// Makes a policy that runs an operation until it succeeds, at most `attempts` times.
///
/// **Parameters.** `predicate(error)` - whether another attempt makes sense; by default for all
/// errors but `canceled`, `circuit_open`, `invalid_option`, `never_satisfiable`, `closed`,
/// `would_deadlock`.
/// **Errors.** those of the last attempt; `error::why()` says why there was no other: `attempts`,
/// `deadline`, `non_retryable`. An exception of the operation or the predicate passes through: it
/// is not retried. Invalid options stop the program.
/// **Suspends.** as the operation does, and for the delays: the backoff's, or what the error asks
/// for
/// (`error::retry_after`), if that is longer. None after the last attempt.
/// **Cancellation.** at any point, at once; no attempt follows. A deadline of the environment that
/// the next attempt could not begin before ends the retry without waiting for it.
/// **Complexity.** one frame; no allocation of its own.
template <class Predicate = detail::retry_by_default>
requires std::predicate<Predicate&, const error&>
[[nodiscard]] retry_policy<Predicate> retry(retry_options options, Predicate predicate = {}) {
  if (auto valid = validate(options); !valid) {
    detail::stop_program(valid.error().message().c_str());
  }
  return retry_policy<Predicate>(options, std::move(predicate));
}

}  // namespace penstock
