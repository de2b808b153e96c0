// tests/compile_fail/must_of_plain_task.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: must\(\) takes something that yields a result
#include <penstock/core/ok.hpp>

using namespace penstock;

#ifdef MUST_FAIL
task<int> answer() { co_return 42; }
#else
task<result<int>> answer() { co_return 42; }
#endif
task<int> caller() { co_return co_await must(answer()); }
