// tests/compile_fail/pipeline_without_sink.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: a pipeline needs a sink
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <utility>
#include <vector>

using namespace penstock;

task<result<>> run(std::vector<int> v) {
#ifdef MUST_FAIL
  co_return co_await (from(std::move(v)) | map([](int i) { return i; }));
#else
  co_return co_await (from(std::move(v)) | map([](int i) { return i; }) | drain());
#endif
}
