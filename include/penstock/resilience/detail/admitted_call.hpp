// penstock/resilience/detail/admitted_call.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The shell of policies that let a call in, or not, and are told how it ended.

#include <penstock/core/scheduler.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/resilience/call_outcome.hpp>
#include <penstock/resilience/policy.hpp>

#include <utility>

namespace penstock::detail {

// What an admission was given for: it is told the outcome of a call exactly once, and when, to a
// few milliseconds unless it asks for exact times.
template <class P>
concept admission_permit = std::movable<P> && std::is_same_v<decltype(P::exact_time), const bool> &&
    requires(P& p, call_outcome o, time_point now) {
  { p.ended(o, now) }
  noexcept;
};

// A permit in the frame of its call. A call that is unwound was canceled, by a deadline it failed.
template <admission_permit Permit>
class admitted {
 public:
  admitted(Permit permit, const environment& env) : permit_(std::move(permit)), env_(&env) {}
  admitted(const admitted&) = delete;
  admitted& operator=(const admitted&) = delete;
  ~admitted() {
    if (env_) ended(why_unwound());
  }
  void ended(call_outcome o) noexcept {
    const environment& env = *std::exchange(env_, nullptr);
    if constexpr (Permit::exact_time)
      permit_.ended(o, env.sched->now());
    else
      permit_.ended(o, env.sched->about().earliest);
  }

 private:
  [[nodiscard]] call_outcome why_unwound() const noexcept {
    return env_->stop->reason() == stop_reason::deadline ? call_outcome::failure
                                                         : call_outcome::canceled;
  }
  Permit permit_;
  const environment* env_;  // null: it was told
};

// What a gate that decides at once gives to `admitted_call`.
template <class T>
class decided {
 public:
  decided(T value) noexcept : value_(std::move(value)) {}
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  T await_resume() noexcept { return std::move(value_); }

 private:
  T value_;
};

// One call. `Gate::admit(env)` gives an awaitable of a `result` of a permit. The gate outlives the
// call; `fn` and `judge` live in this frame.
template <class Gate, class Judge, class Fn>
task<policy_result_t<Fn>> admitted_call(Gate& gate, Judge judge, Fn fn) {
  const environment& env = co_await this_task::env();
  auto permit = co_await gate.admit(env);
  if (!permit) co_return tl::unexpected<error>(std::move(permit).error());
  admitted call(std::move(*permit), env);
  try {
    policy_result_t<Fn> answer = co_await std::invoke(fn);
    call.ended(classify(judge, answer));
    co_return answer;
  } catch (...) {
    call.ended(call_outcome::failure);
    throw;
  }
}

}  // namespace penstock::detail
