// penstock/resilience/rate_limiter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// So many in so long: makes who comes too early wait, or refuses it. One for each key:
/// keyed_rate_limiter.hpp. So many at once: a semaphore. Items of a stream: `throttle`.

#include <penstock/resilience/detail/admitted_call.hpp>
#include <penstock/resilience/detail/checked_options.hpp>
#include <penstock/resilience/detail/limiter_awaiter.hpp>
#include <penstock/resilience/detail/limiter_object.hpp>
#include <penstock/resilience/policy.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <utility>

namespace penstock {
namespace detail {
// A limiter that outlives what refers to it.
template <limiter_core Core>
class limiter_ref {
 public:
  explicit limiter_ref(limiter_object<Core>& o) noexcept : object_(&o) {}
  bool try_take(time_point now, std::uint32_t cost) { return object_->try_take(now, cost); }
  [[nodiscard]] limiter_door& door() noexcept { return *object_; }
  void penalize(time_point now, time_point until) noexcept { object_->penalize(now, until); }

 private:
  limiter_object<Core>* object_;
};
}  // namespace detail

/// A rate limiter, as a policy or by hand: `exact_window`, `gcra` or `fixed_window`.
///
/// **Shape.** permits of a core; a FIFO line of tasks and reservations.
/// **Parameters.** `Core` - what "90 per minute" means.
/// **Result.** as a policy, the operation's own; it costs one permit.
/// **Errors.** `errc::rate_limited`, naming the limiter, with `retry_after`: it was not to be had
/// in time, or too many wait; `errc::never_satisfiable` for a cost above `limit()`;
/// `errc::closed`. Invalid options stop the program, naming the option.
/// **Suspends.** while there is no permit or somebody waits before; as a policy, unless
/// `when_limited::refuse`.
/// **Cancellation.** who gives up has taken nothing, and those behind it move up.
/// **Ordering.** first come, first served: nobody passes one who waits or has reserved.
/// **Thread-safety.** any thread, the same object too. Copies are the same limiter.
/// **Complexity.** a GCRA without waiting: one compare-exchange, no lock, no allocation; windows
/// take a short lock. One timer, whoever waits. Waiting: a task's frame, from the recycler.
/// **Lifetime.** a handle; the last copy outlives waiting tasks and reservations: else it asserts.
/// **Example.** @snippet tests/resilience/rate_limiter_test.cpp policy
/// **See also.** `keyed_rate_limiter`, `acquire_all`, `throttle`.
template <limiter_core Core>
class rate_limiter : public policy_base<rate_limiter<Core>> {
  using ref = detail::limiter_ref<Core>;

 public:
  using core_type = Core;

  /// **Parameters.** `core` - with its permits; `name` - in errors and events; `on_event` - told
  /// what happens.
  explicit rate_limiter(Core core, const rate_limiter_options& o = {},
                        std::string_view name = "rate_limiter",
                        observer<rate_limiter_event> on_event = {})
      : object_(std::make_shared<detail::limiter_object<Core>>(
            std::move(core), detail::checked_options(o), name, std::move(on_event))) {}
  explicit rate_limiter(rate r, const rate_limiter_options& o = {},
                        std::string_view name = "rate_limiter",
                        observer<rate_limiter_event> on_event = {})
      : rate_limiter(Core(r), o, name, std::move(on_event)) {}
  /// **Parameters.** `burst` - permits that a GCRA gives at once after a pause.
  rate_limiter(rate r, std::uint32_t burst, const rate_limiter_options& o = {},
               std::string_view name = "rate_limiter",
               observer<rate_limiter_event> on_event = {}) requires
      std::constructible_from<Core, rate, std::uint32_t>
      : rate_limiter(Core(r, burst), o, name, std::move(on_event)) {}

  /// Waits for `cost` permits.
  ///
  /// **Result.** `result<>`.
  /// **Errors.** as above; `errc::rate_limited` at once when the deadline of the scopes around
  /// would pass before, as far as can be known.
  /// **Cancellation.** as above.
  [[nodiscard]] auto acquire(std::uint32_t cost = 1) const& noexcept {
    return detail::limiter_awaiter<ref>(ref(*object_), cost, true);
  }
  void acquire(std::uint32_t cost = 1) const&& = delete;  // nobody would keep the limiter
  /// Takes `cost` permits if they are there and nobody waits for them; inside of a task.
  [[nodiscard]] bool try_acquire(std::uint32_t cost = 1) const {
    return try_acquire(now_here(), cost);
  }
  /// The same anywhere, at that time of the loop.
  [[nodiscard]] bool try_acquire(time_point now, std::uint32_t cost = 1) const {
    if (object_->try_take(now, cost)) [[likely]]
      return true;
    object_->count_refused();
    return false;
  }
  /// The same, and what to tell the one who asked.
  ///
  /// **Complexity.** under the lock.
  [[nodiscard]] rate_decision decide(std::uint32_t cost = 1) const {
    return decide(now_here(), cost);
  }
  [[nodiscard]] rate_decision decide(time_point now, std::uint32_t cost = 1) const {
    return object_->decide(now, cost);
  }

  /// `cost` permits as early as they can be had, behind all who wait.
  ///
  /// **Parameters.** `last` - not later than that.
  /// **Result.** `result<rate_reservation>`.
  /// **Errors.** as above; a window lets at most its count wait and be reserved ahead.
  [[nodiscard]] result<rate_reservation> reserve(std::uint32_t cost = 1,
                                                 time_point last = (time_point::max)()) const& {
    return reserve(now_here(), cost, last);
  }
  /// The same anywhere, at that time of the loop.
  [[nodiscard]] result<rate_reservation> reserve(time_point now, std::uint32_t cost = 1,
                                                 time_point last = (time_point::max)()) const&;

  /// Lets nothing pass before `until`, at most `max_penalty` from now: the other side has asked
  /// for it. As a policy it does so itself when the operation fails with `errc::rate_limited` and a
  /// `retry_after`, which no limiter of this library has made.
  void penalize(time_point until) const noexcept { object_->penalize(now_here(), until); }
  void penalize(time_point now, time_point until) const noexcept { object_->penalize(now, until); }
  /// Ends all waits, and later ones at once, with `errc::closed`.
  void close() const noexcept { object_->close(); }

  [[nodiscard]] rate_limiter_stats stats() const noexcept { return object_->stats(); }
  [[nodiscard]] std::string_view name() const noexcept { return object_->name(); }

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return detail::admitted_call(*this, default_classifier{}, std::move(fn));
  }
  /// For `detail::admitted_call`.
  [[nodiscard]] auto admit(const environment&) const noexcept {
    return detail::limiter_admission<ref>(ref(*object_),
                                          object_->options().when_limited == when_limited::wait);
  }
  /// For `acquire_all`.
  [[nodiscard]] ref asked() const noexcept { return ref(*object_); }

 private:
  static time_point now_here() noexcept {
    PENSTOCK_ASSERT(scheduler::current(), "there is no loop here: tell the time");
    return scheduler::current()->now();
  }

  std::shared_ptr<detail::limiter_object<Core>> object_;
};

/// Evenly: one each period / count, and a burst after a pause. In any period up to count + burst.
using gcra = rate_limiter<gcra_core>;
/// At most the count in any period, wherever it begins.
using exact_window = rate_limiter<exact_window_core>;
/// The count in each window: twice that around the end of one.
using fixed_window = rate_limiter<fixed_window_core>;

template <limiter_core Core>
result<rate_reservation> rate_limiter<Core>::reserve(time_point now, std::uint32_t cost,
                                                     time_point last) const& {
  using kind = detail::limiter_verdict::kind;
  bool booked = false;
  auto v = object_->reserve(now, cost, last, nullptr, booked);
  if (v.what == kind::admitted) return rate_reservation(*object_, now, nullptr);
  std::unique_ptr<detail::reserved_node> node;
  if (v.what == kind::later) {
    node = std::make_unique<detail::reserved_node>();
    v = object_->reserve(now, cost, last, node.get(), booked);
  }
  if (v.what != kind::admitted) return tl::unexpected<error>(object_->refusal(v, cost, now));
  if (!booked) node = nullptr;  // it could be had at once after all
  return rate_reservation(*object_, v.at, std::move(node));
}

}  // namespace penstock
