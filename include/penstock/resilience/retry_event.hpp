// penstock/resilience/retry_event.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What `retry` tells of each attempt that has failed.

#include <penstock/base/error.hpp>
#include <penstock/resilience/observer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace penstock {

/// An attempt has failed.
struct retry_event {
  std::size_t attempt = 0;            ///< which one, counted from 1
  error failure;                      ///< its error
  retry_stop why = retry_stop::none;  ///< why it was the last one; none: there is another
  duration delay{};                   ///< that one comes after so long
  std::uint32_t around = 0;           ///< retries around this one: the attempts multiply
};

/// Who is told the events of a `retry`. Made by `on_retry`; copies are the same.
class retry_observer {
 public:
  explicit retry_observer(observer<retry_event> told)
      : told_(std::make_shared<const observer<retry_event>>(std::move(told))) {}
  void operator()(const retry_event& e) const noexcept { (*told_)(e); }

 private:
  std::shared_ptr<const observer<retry_event>> told_;
};

/// `retry(options, on_retry([](const retry_event& e) { ... }))`.
///
/// **Parameters.** `told` - called after each attempt that failed, before the delay.
/// **Errors.** what it throws is written to the log.
/// **Thread-safety.** called by each call of the policy on its thread.
/// **Example.** @snippet tests/resilience/retry_extras_test.cpp events
[[nodiscard]] inline retry_observer on_retry(observer<retry_event> told) {
  return retry_observer(std::move(told));
}

}  // namespace penstock
