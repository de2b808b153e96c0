// tests/compile_fail/stage_behind_sink.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: nothing goes behind a sink
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

task<> run(std::vector<int> v) {
#ifdef MUST_FAIL
  co_await (from(v) | drain() | map([](int i) { return i; }));
#else
  static_cast<void>(co_await (from(v) | map([](int i) { return i; }) | drain()));
#endif
}
