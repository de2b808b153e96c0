// tests/compile_fail/ok_of_plain_value.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: ok\(\) takes something that yields a result
#include <penstock/core/ok.hpp>
#include <penstock/core/task.hpp>

using namespace penstock;

task<int> sure() { co_return 1; }

task<result<int>> caller() {
#ifdef MUST_FAIL
  int value = co_await ok(sure());
#else
  int value = co_await sure();
#endif
  co_return value;
}
