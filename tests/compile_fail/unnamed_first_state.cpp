// tests/compile_fail/unnamed_first_state.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): name this object, or give its class a constructor
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <string>
#include <vector>

using namespace penstock;

struct state {
  std::string name;
  int seen = 0;
};
state look_at(state s, int) {
  ++s.seen;
  return s;
}

task<result<std::size_t>> caller(std::vector<int> items, std::string name) {
#ifdef MUST_FAIL
  co_return co_await (from(items) | scan(state{name}, look_at) | count());  // lint-ok: G3 refused
#else
  state first{name};
  co_return co_await (from(items) | scan(first, look_at) | count());
#endif
}
