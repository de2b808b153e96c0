// tests/compile_fail/await_lvalue_task.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: a task is awaited once, as an rvalue
#include <penstock/core/task.hpp>

using namespace penstock;

task<int> one() { co_return 1; }

task<int> twice() {
  auto t = one();
#ifdef MUST_FAIL
  int value = co_await t;
#else
  int value = co_await std::move(t);
#endif
  co_return value;
}
