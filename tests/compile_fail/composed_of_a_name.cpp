// tests/compile_fail/composed_of_a_name.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: std::move\(\) it into the composed one
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

using namespace penstock;

auto made() {
  auto some = map([](int i) { return i; });
#ifdef MUST_FAIL
  return take(3) | some;
#else
  return take(3) | std::move(some);
#endif
}
using stage = decltype(made());
