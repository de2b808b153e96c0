// tests/compile_fail/retry_unmarked.cpp
// SPDX-License-Identifier: BSL-1.0

// What is repeated is marked as idempotent, or the policy says that it repeats anything.
// expect-error: this policy repeats what is marked
#include <penstock/resilience/retry.hpp>

using namespace penstock;

task<result<>> caller() {
  auto charge = []() -> task<result<>> { co_return result<>(); };
  auto policy = retry({.attempts = 3});
#ifdef MUST_FAIL
  co_return co_await policy(charge);
#else
  auto twice = retry(unsafe_retry_options{.repeat = unsafe});
  static_cast<void>(co_await twice(charge));
  co_return co_await policy(idempotent(charge));
#endif
}
