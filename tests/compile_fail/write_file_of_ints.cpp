// tests/compile_fail/write_file_of_ints.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: takes items with contiguous bytes
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/stream.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

task<result<>> run(std::vector<int> v) {
#ifdef MUST_FAIL
  co_await ok(from(std::move(v)) | write_file("numbers"));
#else
  const auto text = [](int i) { return std::to_string(i); };
  co_await ok(from(std::move(v)) | map(text) | write_file("numbers"));
#endif
  co_return {};
}
