// penstock/resilience/breaker_permit.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a circuit breaker gives for a call that it lets in: told once how that ended. The breaker:
/// circuit_breaker.hpp.

#include <penstock/base/error.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/resilience/detail/breaker_object.hpp>

#include <utility>

namespace penstock {

/// A call that a circuit breaker has let in.
///
/// **Shape.** let in -> success, failure, ignored or canceled; its destruction is `canceled`, which
/// is never counted and gives the place of a probe back.
/// **Errors.** asserts when it is told twice.
/// **Thread-safety.** distinct: safe; same object: one owner. It may end on any thread; there
/// without a loop only by `ended(outcome, now)`.
/// **Complexity.** as `circuit_breaker`; 24 bytes.
/// **Lifetime.** the breaker, or a copy of it, outlives it.
/// **Example.** @snippet tests/resilience/circuit_breaker_test.cpp by_hand
class [[nodiscard("a permit that is destroyed at once counts nothing")]] breaker_permit {
 public:
  breaker_permit(breaker_permit && other) noexcept
      : object_(std::exchange(other.object_, nullptr)),
        ticket_(other.ticket_),
        began_(other.began_) {}
  breaker_permit& operator=(breaker_permit&& other) noexcept {
    if (this != &other) {
      if (object_) finish(call_outcome::canceled, began_, duration::zero());
      object_ = std::exchange(other.object_, nullptr);
      ticket_ = other.ticket_;
      began_ = other.began_;
    }
    return *this;
  }
  ~breaker_permit() {
    if (object_) [[unlikely]]
      finish(call_outcome::canceled, began_, duration::zero());
  }

  /// Whether it was not told yet.
  [[nodiscard]] explicit operator bool() const noexcept { return object_ != nullptr; }

  /// The call succeeded; it was slow when it took longer than `slow_call`.
  void success() noexcept { ended(call_outcome::success, time_here()); }
  /// The call failed.
  void failure() noexcept { ended(call_outcome::failure, time_here()); }
  /// The call failed with `e`, whose `retry_after` the breaker heeds.
  void failure(const error& e) noexcept { ended(call_outcome::failure, time_here(), e); }
  /// The result says nothing of the other side: it is not counted.
  void ignore() noexcept { ended(call_outcome::ignored, began_); }
  /// Nobody waits for the call any more: it is not counted.
  void cancel() noexcept { ended(call_outcome::canceled, began_); }

  /// The call ended like that, at that time of the loop.
  void ended(call_outcome how, time_point now) noexcept { finish(how, now, duration::zero()); }
  void ended(call_outcome how, time_point now, const error& e) noexcept {
    finish(how, now, how == call_outcome::failure ? pause_of(e) : duration::zero());
  }

  /// For `detail::admitted_call`.
  [[nodiscard]] bool exact_time() const noexcept { return object_->exact(); }

 private:
  friend class circuit_breaker;

  breaker_permit(detail::breaker_object & object, std::uint64_t ticket, time_point began) noexcept
      : object_(&object), ticket_(ticket), began_(began) {}

  [[nodiscard]] time_point time_here() const noexcept {
    PENSTOCK_ASSERT(scheduler::current(), "there is no loop here: use ended(outcome, now)");
    PENSTOCK_ASSERT(object_, "a breaker_permit is told twice how its call ended");
    return object_->time_of(*scheduler::current());
  }
  static duration pause_of(const error& e) noexcept {
    return e.retry_after().value_or(duration::zero());
  }
  void finish(call_outcome how, time_point now, duration pause) noexcept {
    PENSTOCK_ASSERT(object_, "a breaker_permit is told twice how its call ended");
    std::exchange(object_, nullptr)->ended(ticket_, began_, how, now, pause);
  }

  detail::breaker_object* object_;  // null: it was told
  std::uint64_t ticket_;
  time_point began_;
};

}  // namespace penstock
