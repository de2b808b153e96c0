// tests/compile_fail/stream_of_a_range.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: what is left of the \| is no stream
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

task<> run(std::vector<int> v) {
#ifdef MUST_FAIL
  co_await (v | drain());
#else
  static_cast<void>(co_await (from(v) | drain()));
#endif
}
