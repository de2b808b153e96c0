// tests/compile_fail/ignored_result.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(clang): ignoring return value
#include <penstock/core/ok.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/core/task.hpp>

using namespace penstock;

task<result<>> fallible() { co_return result<>{}; }

task<result<>> caller() {
#ifdef MUST_FAIL
  co_await as_result(fallible());
#else
  co_await ok(fallible());
#endif
  co_return result<>{};
}
