// tests/compile_fail/scope_of_a_value.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: awaitable
#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>

using namespace penstock;
using namespace std::chrono_literals;

task<> caller() {
#ifdef MUST_FAIL
  static_cast<void>(co_await with_timeout(1s, 5));
#else
  static_cast<void>(co_await with_timeout(1s, sleep_for(5s)));
#endif
}
