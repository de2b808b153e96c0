// tests/compile_fail/group_copied_closure.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): name this closure: g\+\+ 12 miscompiles a capturing temporary inside co_await
// expect-error(clang): no matching function for call to 'with_group'
#include <penstock/core/with_group.hpp>

#include <string>

using namespace penstock;

task<> caller(std::string text) {
  auto body = [text](task_group&) -> task<> { co_return; };
#if !defined(MUST_FAIL)
  co_await with_group(body);
#elif defined(__clang__)
  co_await with_group(text);
#else
  co_await with_group(std::move(body));
#endif
}
