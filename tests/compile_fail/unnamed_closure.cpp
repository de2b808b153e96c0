// tests/compile_fail/unnamed_closure.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): name this closure
#include <penstock/core/task.hpp>
#include <penstock/core/with_group.hpp>

#include <memory>

using namespace penstock;

task<> caller(std::shared_ptr<int> shared) {
#ifdef MUST_FAIL
  co_await with_group(
      [shared](task_group&) -> task<> { co_return; });  // lint-ok: G4 what is refused
#else
  auto body = [shared](task_group&) -> task<> { co_return; };
  co_await with_group(body);
#endif
}
