// tests/compile_fail/start_reference_to_temporary.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: a reference parameter of this child would be bound to a temporary
#include <penstock/core/with_group.hpp>

#include <string>

using namespace penstock;

task<> greet(const std::string&) { co_return; }
void fill(task_group& group) {
#ifdef MUST_FAIL
  group.start(greet, "world");
#else
  group.start(greet, std::string("world"));
#endif
}
