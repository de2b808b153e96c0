// tests/compile_fail/group_copied_closure.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): name this closure: g\+\+ 12 miscompiles a capturing temporary inside co_await
#include <penstock/core/with_group.hpp>

#include <string>

using namespace penstock;

task<> caller(std::string text) {
  auto body = [text](task_group&) -> task<> { co_return; };
#ifdef MUST_FAIL
  co_await with_group(std::move(body));
#else
  co_await with_group(body);
#endif
}
