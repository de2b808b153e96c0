// tests/compile_fail/start_reference_without_ref.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: std::ref\(x\) where the function takes a reference
#include <penstock/core/with_group.hpp>

#include <functional>

using namespace penstock;

task<> count(int& n) {
  ++n;
  co_return;
}
void fill(task_group& group, int& n) {
#ifdef MUST_FAIL
  group.start(count, n);
#else
  group.start(count, std::ref(n));
#endif
}
