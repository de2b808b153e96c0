// tests/compile_fail/start_copied_closure.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): name this closure
#include <penstock/core/task.hpp>
#include <penstock/core/with_group.hpp>

#include <memory>

using namespace penstock;

void fill(task_group& group, std::shared_ptr<int> shared) {
#ifdef MUST_FAIL
  group.start([shared]() -> task<> { co_return; });  // lint-ok: G4 what is refused
#else
  auto child = [shared]() -> task<> { co_return; };
  group.start(child);
#endif
}
