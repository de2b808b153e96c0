// tests/compile_fail/breaker_of_a_temporary.cpp
// SPDX-License-Identifier: BSL-1.0

// A permit does not keep its breaker alive: what `of` gives has a name.
// expect-error: deleted
#include <penstock/core.hpp>
#include <penstock/resilience/circuit_breakers.hpp>

using namespace penstock;

task<result<>> call(const circuit_breakers<int>& breakers) {
#ifdef MUST_FAIL
  auto permit = co_await breakers.of(1).acquire();
#else
  const auto breaker = breakers.of(1);
  auto permit = co_await breaker.acquire();
#endif
  if (permit) permit->success();
  co_return {};
}
