// tests/compile_fail/tee_of_move_only.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: tee\(\) copies the items
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <memory>
#include <utility>
#include <vector>

using namespace penstock;

task<result<>> run(std::vector<std::unique_ptr<int>> v) {
#ifdef MUST_FAIL
  static_cast<void>(co_await ok(from(std::move(v)) | tee(count(), count())));
#else
  const auto shared = [](std::unique_ptr<int> p) { return std::shared_ptr<int>(std::move(p)); };
  static_cast<void>(co_await ok(from(std::move(v)) | map(shared) | tee(count(), count())));
#endif
  co_return {};
}
