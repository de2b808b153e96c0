// tests/compile_fail/merge_of_types.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: merge\(\) takes streams of one type of items
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

task<> run(std::vector<int> v) {
#ifdef MUST_FAIL
  co_await (merge(from(v), from(std::vector<std::string>())) | drain());
#else
  static_cast<void>(co_await (merge(from(v), from(std::vector<int>())) | drain()));
#endif
}
