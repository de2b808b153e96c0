// penstock/resilience/client_throttle.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A client that holds back when its server refuses: the more it refuses, the fewer requests are
/// sent. Softer than circuit_breaker.hpp, which stops all of them; the server's side:
/// load_shed.hpp.

#include <penstock/base/spin_lock.hpp>
#include <penstock/resilience/detail/admitted_call.hpp>
#include <penstock/resilience/detail/checked_options.hpp>
#include <penstock/resilience/detail/throttle_core.hpp>
#include <penstock/resilience/judged_policy.hpp>
#include <penstock/resilience/observer.hpp>
#include <penstock/resilience/policy.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace penstock {

/// Options of `client_throttle`.
struct client_throttle_options {
  double ratio = 2.0;  ///< K: so many requests for each accepted one are sent; at least 1
  duration window = std::chrono::minutes(2);  ///< requests of the last so long count
  /// No larger share is refused: the rest finds out that the server is back. Up to 1, where that
  /// may take many windows.
  double max_rejection = 0.9;
};
static_assert(std::is_trivially_copyable_v<client_throttle_options>);

/// Whether a client can be throttled so.
[[nodiscard]] inline result<> validate(const client_throttle_options& o) {
  const auto refuse = [](const char* why) {
    return fail(errc::invalid_option, "client_throttle_options", why);
  };
  if (!(o.ratio >= 1 && o.ratio <= 1e6)) return refuse("ratio is not in [1, 1e6]");
  if (o.window < std::chrono::microseconds(1)) return refuse("window is below a microsecond");
  if (!(o.max_rejection >= 0 && o.max_rejection <= 1))
    return refuse("max_rejection is not in [0, 1]");
  return {};
}

/// A client began to hold back, or does no more.
struct client_throttle_event {
  std::string_view name;    ///< the throttle's
  bool throttling = false;  ///< since now
  double rejection = 0;     ///< the share of requests that is not sent
};

/// Numbers of a `client_throttle`.
struct client_throttle_stats {
  std::uint64_t admitted = 0;        ///< calls let in since it was made
  std::uint64_t refused = 0;         ///< calls refused since it was made
  std::int64_t window_requests = 0;  ///< calls of the window, the refused ones too
  std::int64_t window_accepted = 0;  ///< of those, accepted by the server
  double rejection = 0;              ///< the share of calls that is refused, as of the last one
};

namespace detail {
class throttle_object {
 public:
  throttle_object(const client_throttle_options& o, const char* name,
                  observer<client_throttle_event> on_event)
      : name_(name), on_event_(std::move(on_event)), core_(o.ratio, o.max_rejection, o.window) {}

  bool admit(time_point now, random_engine& random) noexcept {
    lock_.lock();
    last_ = now;
    const bool in = core_.admit(now, random);
    ++(in ? admitted_ : refused_);
    const double p = core_.rejection(now);
    const bool changed = (p > 0) != throttling_;
    throttling_ = p > 0;
    lock_.unlock();
    if (changed) on_event_({name_, p > 0, p});
    return in;
  }
  void ended(call_outcome how, time_point now) noexcept {
    if (how == call_outcome::failure) return;
    lock_.lock();
    last_ = now;
    how == call_outcome::canceled ? core_.forget(now) : core_.accepted(now);
    lock_.unlock();
  }
  client_throttle_stats stats() noexcept {
    lock_.lock();
    const throttle_counts c = core_.counts(last_);
    const client_throttle_stats s{admitted_, refused_, c.requests, c.accepted,
                                  core_.rejection(last_)};
    lock_.unlock();
    return s;
  }
  [[nodiscard]] const char* name() const noexcept { return name_; }

 private:
  const char* const name_;
  const observer<client_throttle_event> on_event_;
  spin_lock lock_;
  throttle_core core_;  // this and what follows guarded by lock_
  time_point last_{};
  std::uint64_t admitted_ = 0;
  std::uint64_t refused_ = 0;
  bool throttling_ = false;
};

class throttle_permit {
 public:
  static constexpr bool exact_time = false;
  explicit throttle_permit(throttle_object& o) noexcept : object_(&o) {}
  void ended(call_outcome how, time_point now) noexcept { object_->ended(how, now); }
  // What a policy inside has refused never reached the server.
  void ended(call_outcome how, time_point now, const error& e) noexcept {
    const bool inside = e == errc::circuit_open || e == errc::rate_limited;
    object_->ended(how == call_outcome::ignored && inside ? call_outcome::canceled : how, now);
  }

 private:
  throttle_object* object_;
};
}  // namespace detail

/// Refuses a share of the calls, at random, that grows with the share that the server refuses.
///
/// **Shape.** p = max(0, (requests - ratio * accepted) / (requests + 1)).
/// **Result.** the operation's own.
/// **Errors.** `errc::overloaded`, naming it; invalid options stop the program, naming the option.
/// **Suspends.** as the operation does.
/// **Cancellation.** a call that is given up is as if it had not been; one that a deadline ends was
/// not accepted.
/// **Thread-safety.** any thread, the same object too. Copies are the same object.
/// **Complexity.** O(1) under a short lock, no allocation but for the text of an error.
/// **Lifetime.** a handle; the last copy outlives the calls.
/// **Example.** @snippet tests/resilience/client_throttle_test.cpp client_throttle
/// **See also.** `load_shed`, `circuit_breaker`.
class client_throttle : public policy_base<client_throttle> {
 public:
  /// **Parameters.** `name` - in errors and events, a string literal; `on_event` - told when it
  /// begins to refuse, and when it does no more.
  explicit client_throttle(const client_throttle_options& o = {},
                           const char* name = "client_throttle",
                           observer<client_throttle_event> on_event = {})
      : object_(std::make_shared<detail::throttle_object>(detail::checked_options(o), name,
                                                          std::move(on_event))) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return detail::admitted_call(*this, default_classifier{}, std::move(fn));
  }
  /// The same object, for calls whose results `judge` tells apart: a `failure` was not accepted.
  template <outcome_classifier F>
  [[nodiscard]] judged_policy<client_throttle, F> judged_by(F judge) const {
    return {*this, std::move(judge)};
  }

  [[nodiscard]] client_throttle_stats stats() const noexcept { return object_->stats(); }
  [[nodiscard]] std::string_view name() const noexcept { return object_->name(); }

  /// For `detail::admitted_call`.
  [[nodiscard]] auto admit(const environment& env) const noexcept {
    return detail::decided<result<detail::throttle_permit>>(let_in(env));
  }

 private:
  [[nodiscard]] result<detail::throttle_permit> let_in(const environment& env) const noexcept {
    if (object_->admit(env.sched->about().earliest, env.sched->random()))
      return detail::throttle_permit(*object_);
    return fail(errc::overloaded, object_->name(), "the server refuses too much");
  }

  std::shared_ptr<detail::throttle_object> object_;
};

}  // namespace penstock
