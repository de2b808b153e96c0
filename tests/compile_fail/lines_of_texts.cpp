// tests/compile_fail/lines_of_texts.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: takes items of buffer
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

task<result<>> run(std::vector<std::string> v) {
#ifdef MUST_FAIL
  co_await ok(from(std::move(v)) | lines() | drain());
#else
  const auto bytes = [](std::string text) { return buffer::copy_of(text); };
  co_await ok(from(std::move(v)) | map(bytes) | lines() | drain());
#endif
  co_return {};
}
