// tests/compile_fail/ok_lvalue_task.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: used once: ok\(std::move\(it\)\)
#include <penstock/core/ok.hpp>

using namespace penstock;

task<result<int>> answer() { co_return 42; }
task<result<int>> pass() {
  auto t = answer();
#ifdef MUST_FAIL
  co_return co_await ok(t);
#else
  co_return co_await ok(std::move(t));
#endif
}
