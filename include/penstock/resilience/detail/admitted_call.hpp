// penstock/resilience/detail/admitted_call.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The shell of policies that let a call in, or not, and are told how it ended.

#include <penstock/core/scheduler.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/resilience/call_outcome.hpp>
#include <penstock/resilience/policy.hpp>

#include <optional>
#include <utility>

namespace penstock::detail {

// Whether a permit asks for exact times, always (P::exact_time) or by its options (p.exact_time()).
template <class P>
constexpr bool asks_exact_time(const P& p) noexcept {
  if constexpr (requires { p.exact_time(); })
    return p.exact_time();
  else
    return P::exact_time;
}

// What an admission was given for: it is told the outcome of a call exactly once, and when, to a
// few milliseconds unless it asks for exact times.
template <class P>
concept admission_permit = std::movable<P> && requires(P& p, call_outcome o, time_point now) {
  asks_exact_time(p);
  { p.ended(o, now) }
  noexcept;
};
// One that is told the error of a call, too, where there is one.
template <class P>
concept told_errors = requires(P& p, call_outcome o, time_point now, const error& e) {
  { p.ended(o, now, e) }
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
  void ended(call_outcome o) noexcept { permit_.ended(o, end()); }
  void ended(call_outcome o, const error& e) noexcept {
    if constexpr (told_errors<Permit>)
      permit_.ended(o, end(), e);
    else
      ended(o);
  }

 private:
  // It is told now: at this time.
  time_point end() noexcept {
    scheduler& loop = *std::exchange(env_, nullptr)->sched;
    return asks_exact_time(permit_) ? loop.now() : loop.about().earliest;
  }
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

// A gate that mostly decides at once: try_admit(env) gives a std::optional<result<permit>>, and
// only when that is empty admit(env) is awaited.
template <class Gate>
concept tries_first = requires(Gate& gate, const environment& env) {
  gate.try_admit(env);
};
template <tries_first Gate>
auto try_gate(Gate& gate, const environment& env) {
  return gate.try_admit(env);
}
template <class Gate>
auto try_gate(Gate& gate, const environment& env) {
  return std::optional<await_result_t<decltype(gate.admit(env))>>();
}

// One call. `Gate::admit(env)` gives an awaitable of a `result` of a permit. The gate outlives the
// call; `fn` and `judge` live in this frame.
template <class Gate, class Judge, class Fn>
task<policy_result_t<Fn>> admitted_call(Gate& gate, Judge judge, Fn fn) {
  const environment& env = co_await this_task::env();
  auto permit = try_gate(gate, env);
  if (!permit) permit.emplace(co_await gate.admit(env));
  if (!*permit) co_return tl::unexpected<error>(std::move(*permit).error());
  admitted call(std::move(**permit), env);
  try {
    policy_result_t<Fn> answer = co_await std::invoke(fn);
    const call_outcome outcome = classify(judge, answer);
    if (answer)
      call.ended(outcome);
    else
      call.ended(outcome, answer.error());
    co_return answer;
  } catch (...) {
    call.ended(call_outcome::failure);
    throw;
  }
}

}  // namespace penstock::detail
