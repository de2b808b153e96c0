// tests/compile_fail/next_of_eager.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: a stream with an eager stage needs a sink
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

task<> run(std::vector<int> v) {
#ifdef MUST_FAIL
  co_await ((from(v) | buffered(3)).next());
#else
  static_cast<void>(co_await ((from(v) | take(3)).next()));
#endif
}
