// tests/compile_fail/unnamed_operation.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): name this closure
#include <penstock/core.hpp>
#include <penstock/resilience/retry.hpp>

#include <string>

using namespace penstock;

task<result<int>> ask(std::string what);

task<result<int>> caller(std::string what) {
  const auto again = retry({.repeat = unsafe});
#ifdef MUST_FAIL
  co_return co_await again([what] { return ask(what); });  // lint-ok: G4 what is refused
#else
  auto call = [what] { return ask(what); };
  co_return co_await again(call);
#endif
}
