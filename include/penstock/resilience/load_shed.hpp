// penstock/resilience/load_shed.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Admission of calls to a server under load: so many run, others wait for a moment, and who would
/// wait too long is refused early instead of served late. For the client of such a server:
/// client_throttle.hpp.

#include <penstock/resilience/detail/admitted_call.hpp>
#include <penstock/resilience/detail/checked_options.hpp>
#include <penstock/resilience/detail/shed_awaiter.hpp>
#include <penstock/resilience/policy.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace penstock {

/// Refuses calls that would wait too long, the least important first.
///
/// **Shape.** call -> a place among `running`, or a queue by priority -> place or refusal -> call.
/// **Result.** the operation's own.
/// **Errors.** `errc::overloaded`, naming it and why: the queue is full, or it has waited too long;
/// `errc::closed` after `close()`; invalid options stop the program, naming the option.
/// **Suspends.** while all places are taken, for `interval` at most; then as the operation does.
/// **Cancellation.** takes no place, and gives back the one it has.
/// **Ordering.** higher priorities first; first come, first served within one. When the queue is
/// full a more important call takes the place of the last of the least important ones.
/// **Thread-safety.** any thread, the same object too. Copies are the same object.
/// **Complexity.** O(1) under a short lock, no allocation but for the text of an error.
/// **Lifetime.** a handle; the last copy outlives the calls: else it asserts.
/// **Example.** @snippet tests/resilience/load_shed_test.cpp load_shed
/// **See also.** `client_throttle`, `circuit_breaker`.
class load_shed : public policy_base<load_shed> {
 public:
  /// **Parameters.** `name` - in errors and events, a string literal; `on_event` - told when the
  /// queue begins to stand, and when it does no more.
  explicit load_shed(const load_shed_options& o = {}, const char* name = "load_shed",
                     observer<load_shed_event> on_event = {})
      : object_(std::make_shared<detail::shed_object>(detail::checked_options(o), name,
                                                      std::move(on_event))) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return detail::admitted_call(*this, default_classifier{}, std::move(fn));
  }
  /// The same object, for calls of that importance; else they are `shed_priority::normal`.
  [[nodiscard]] load_shed at(shed_priority p) const {
    load_shed other = *this;
    other.priority_ = p;
    return other;
  }

  /// Ends all waits, and later calls at once, with `errc::closed`. What runs ends as it does.
  void close() const noexcept { object_->close(); }
  [[nodiscard]] load_shed_stats stats() const noexcept { return object_->stats(); }
  [[nodiscard]] std::string_view name() const noexcept { return object_->name(); }

  /// For `detail::admitted_call`.
  [[nodiscard]] detail::shed_awaiter admit(const environment& env) const noexcept {
    return detail::shed_awaiter(*object_, priority_, *env.sched);
  }

 private:
  std::shared_ptr<detail::shed_object> object_;
  shed_priority priority_ = shed_priority::normal;
};

}  // namespace penstock
