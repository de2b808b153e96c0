// tests/compile_fail/map_of_other_items.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: this stage or sink does not take the items of the stream before it
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

task<> run(std::vector<int> v) {
#ifdef MUST_FAIL
  co_await (from(v) | map([](std::string s) { return s; }) | drain());
#else
  static_cast<void>(co_await (from(v) | map([](int i) { return i; }) | drain()));
#endif
}
