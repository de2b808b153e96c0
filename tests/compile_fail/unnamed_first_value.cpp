// tests/compile_fail/unnamed_first_value.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): name this object, or give its class a constructor
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <string>
#include <vector>

using namespace penstock;

struct totals {
  std::string name;
  int sum = 0;
};
totals add(totals t, int i) {
  t.sum += i;
  return t;
}

task<result<totals>> caller(std::vector<int> items, std::string name) {
#ifdef MUST_FAIL
  co_return co_await (from(items) | fold(totals{name}, add));  // lint-ok: G3 what is refused
#else
  totals first{name};
  co_return co_await (from(items) | scan(first, add) |
                      fold(first, [](totals, totals t) { return t; }));
#endif
}
