// tests/compile_fail/finally_copied_closure.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): name this closure: g\+\+ 12 miscompiles a capturing temporary inside co_await
#include <penstock/core/finally.hpp>
#include <penstock/core/yield.hpp>

#include <string>

using namespace penstock;

task<> caller(std::string text) {
  auto clean = [text]() -> task<> { co_return; };
#ifdef MUST_FAIL
  co_await finally(yield(), std::move(clean));
#else
  co_await finally(yield(), clean);
#endif
}
