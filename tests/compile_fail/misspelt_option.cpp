// tests/compile_fail/misspelt_option.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: max_runing
#include <penstock/core/with_group.hpp>

using namespace penstock;

task<> caller() {
  auto body = [](task_group&) -> task<> { co_return; };
#ifdef MUST_FAIL
  co_await with_group({.max_runing = 3}, body);
#else
  co_await with_group({.max_running = 3}, body);
#endif
}
