// tests/compile_fail/ok_without_sink.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: a pipeline needs a sink
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <utility>
#include <vector>

using namespace penstock;

task<result<>> run(std::vector<int> v) {
#ifdef MUST_FAIL
  co_await ok(from(std::move(v)) | take(2));
#else
  co_await ok(from(std::move(v)) | take(2) | drain());
#endif
  co_return {};
}
