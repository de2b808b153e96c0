// tests/compile_fail/copy_task.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: (deleted|implicitly-deleted|use of deleted)
#include <penstock/core/task.hpp>

using namespace penstock;

void consume(task<int>) {}

void pass(task<int> t) {
#ifdef MUST_FAIL
  consume(t);
#else
  consume(std::move(t));
#endif
}
