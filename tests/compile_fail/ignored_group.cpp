// tests/compile_fail/ignored_group.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(clang): ignoring return value
#include <penstock/core/ok.hpp>
#include <penstock/core/with_group.hpp>

using namespace penstock;

task<result<>> caller() {
  auto body = [](task_group&) -> task<result<>> { co_return result<>{}; };
#ifdef MUST_FAIL
  co_await with_group(body);
#else
  co_await ok(with_group(body));
#endif
  co_return result<>{};
}
