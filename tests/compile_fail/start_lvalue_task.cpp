// tests/compile_fail/start_lvalue_task.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): use of deleted function
// expect-error(clang): call to implicitly-deleted copy constructor
#include <penstock/core/with_group.hpp>

using namespace penstock;

task<> work() { co_return; }
void fill(task_group& group) {
  auto t = work();
#ifdef MUST_FAIL
  group.start(t);
#else
  group.start(std::move(t));
#endif
}
