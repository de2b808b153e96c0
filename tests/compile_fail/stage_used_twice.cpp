// tests/compile_fail/stage_used_twice.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: a stage or sink is used once
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

task<> run(std::vector<int> v) {
  auto some = map([](int i) { return i; });
#ifdef MUST_FAIL
  co_await (from(v) | some | drain());
#else
  static_cast<void>(co_await (from(v) | std::move(some) | drain()));
#endif
}
