// tests/compile_fail/start_without_move.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: std::move\(\) what cannot be copied
#include <penstock/core/with_group.hpp>

#include <memory>
#include <utility>

using namespace penstock;

task<> own(std::unique_ptr<int>) { co_return; }
void fill(task_group& group, std::unique_ptr<int> n) {
#ifdef MUST_FAIL
  group.start(own, n);
#else
  group.start(own, std::move(n));
#endif
}
