// tests/compile_fail/tee_of_composed.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: without stages before it
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <utility>
#include <vector>

using namespace penstock;

task<result<>> run(std::vector<int> v) {
#ifdef MUST_FAIL
  static_cast<void>(co_await ok(from(std::move(v)) | tee(skip(1) | count(), count())));
#else
  static_cast<void>(co_await ok(from(std::move(v)) | skip(1) | tee(count(), count())));
#endif
  co_return {};
}
