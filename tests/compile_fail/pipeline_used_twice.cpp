// tests/compile_fail/pipeline_used_twice.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: used once: ok\(std::move\(it\)\)
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <utility>
#include <vector>

using namespace penstock;

task<result<std::size_t>> run(std::vector<int> v) {
  auto counted = from(v) | count();
#ifdef MUST_FAIL
  co_return co_await ok(counted);
#else
  co_return co_await ok(std::move(counted));
#endif
}
