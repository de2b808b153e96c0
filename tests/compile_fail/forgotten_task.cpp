// tests/compile_fail/forgotten_task.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: a task does nothing until it is awaited
#include <penstock/core/task.hpp>

using namespace penstock;

task<> one() { co_return; }

task<> both() {
#ifdef MUST_FAIL
  one();
#else
  co_await one();
#endif
  co_return;
}
