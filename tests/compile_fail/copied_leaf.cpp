// tests/compile_fail/copied_leaf.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): use of deleted function
// expect-error(clang): deleted copy constructor
#include <penstock/core/sleep.hpp>

using namespace penstock;
using namespace std::chrono_literals;

task<> caller() {
  auto nap = sleep_for(1s);
#ifdef MUST_FAIL
  auto copy = nap;
#else
  auto copy = std::move(nap);
#endif
  co_await std::move(copy);
}
