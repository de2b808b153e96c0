// tests/compile_fail/finally_cleanup_not_awaitable.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: the clean-up of finally returns an awaitable
#include <penstock/core/finally.hpp>
#include <penstock/core/yield.hpp>

using namespace penstock;

task<> work() { co_return; }
task<> caller() {
#ifdef MUST_FAIL
  co_await finally(work(), [] {});
#else
  co_await finally(work(), [] { return yield(); });
#endif
}
