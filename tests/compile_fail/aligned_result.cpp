// tests/compile_fail/aligned_result.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: clang does not over-align coroutine frames: put it on the heap
#include <penstock/core/task.hpp>

using namespace penstock;

#ifdef MUST_FAIL
struct alignas(64) line {};
#else
struct line {};
#endif
task<line> caller() { co_return line(); }
