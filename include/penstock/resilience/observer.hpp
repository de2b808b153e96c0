// penstock/resilience/observer.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Who is told what happens to a policy.

#include <penstock/base/log.hpp>
#include <penstock/base/unique_function.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace penstock {

/// A callable that is told the events of one policy: given to its constructor, for its life.
///
/// **Parameters.** `Event` - a struct of the policy: `breaker_event`, `retry_event`, ...
/// **Errors.** what it throws is written to the log and changes nothing else.
/// **Thread-safety.** it is called without any lock of the policy, on the thread where the event
/// happened, by several at once: the callable is as safe as the policy's callers need. It may call
/// the policy.
template <class Event>
class observer {
 public:
  /// None.
  observer() noexcept = default;
  template <class Fn>
  requires(!std::same_as<std::remove_cvref_t<Fn>, observer> &&
           std::invocable<std::decay_t<Fn>&, const Event&>) observer(Fn&& fn)
      : fn_(std::forward<Fn>(fn)) {}

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fn_); }
  void operator()(const Event& e) const noexcept {
    if (!fn_) return;
    try {
      fn_(e);
    } catch (...) {
      log(log_level::error, "the observer of a policy has thrown");
    }
  }

 private:
  mutable unique_function<void(const Event&)> fn_;
};

}  // namespace penstock
