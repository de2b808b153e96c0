// tests/compile_fail/await_something_else.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: (await|co_await)
#include <penstock/core/sleep.hpp>
#include <penstock/core/task.hpp>

using namespace penstock;

task<> caller() {
#ifdef MUST_FAIL
  co_await 5;
#else
  co_await sleep_for(std::chrono::milliseconds(5));
#endif
}
