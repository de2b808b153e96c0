// penstock/resilience/attempt_timeout.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A limit of time for each call of an operation, as a policy. For one await use `with_timeout`.

#include <penstock/core/with_timeout.hpp>
#include <penstock/resilience/policy.hpp>

namespace penstock {
namespace detail {
template <class Fn>
task<policy_result_t<Fn>> call_in_time(duration limit, Fn fn) {
  co_return co_await with_timeout(limit, std::invoke(fn));
}
}  // namespace detail

/// Bounds the time of each call.
///
/// **Parameters.** `limit` - more than 0.
/// **Result.** the operation's own.
/// **Errors.** `errc::timed_out` when `limit` passed first; invalid options stop the program.
/// **Suspends.** as the operation does. On expiry it is stopped (reason `deadline`) and waited for.
/// **Cancellation.** as `with_timeout`. Under an earlier deadline of a scope around, that one ends
/// the call.
/// **Thread-safety.** immutable: any thread.
/// **Complexity.** one timer, no allocation; inside of another policy no frame of its own.
/// **Example.** @snippet tests/resilience/policy_test.cpp composed
/// **See also.** `with_timeout`, `retry`.
class attempt_timeout : public policy_base<attempt_timeout> {
 public:
  template <class Rep, class Period>
  explicit attempt_timeout(std::chrono::duration<Rep, Period> limit) : limit_(to_duration(limit)) {
    if (limit_ <= duration::zero())
      detail::stop_program("attempt_timeout: a limit of zero or less");
  }

  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    if constexpr (detail::is_borrowed_operation<Fn>) {
      return with_timeout(limit_, fn());
    } else {
      return detail::call_in_time<Fn>(limit_, std::move(fn));
    }
  }

 private:
  duration limit_;
};

}  // namespace penstock
