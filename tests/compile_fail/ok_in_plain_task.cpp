// tests/compile_fail/ok_in_plain_task.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: ok\(\)
#include <penstock/core/ok.hpp>
#include <penstock/core/task.hpp>

using namespace penstock;

task<result<int>> fallible() { co_return 1; }

#ifdef MUST_FAIL
task<int> caller() {
#else
task<result<int>> caller() {
#endif
  int value = co_await ok(fallible());
  co_return value;
}
