// tests/compile_fail/group_body_no_coroutine.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: the body of with_group is a coroutine
#include <penstock/core/task.hpp>
#include <penstock/core/with_group.hpp>

using namespace penstock;

task<> caller() {
#ifdef MUST_FAIL
  auto body = [](task_group&) { return 1; };
#else
  auto body = [](task_group&) -> task<> { co_return; };
#endif
  co_await with_group(body);
}
