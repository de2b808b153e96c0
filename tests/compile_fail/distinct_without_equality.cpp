// tests/compile_fail/distinct_without_equality.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error: distinct_until_changed\(key\) compares
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <utility>
#include <vector>

using namespace penstock;

struct row {
  int key;
};
task<result<>> run(std::vector<row> v) {
#ifdef MUST_FAIL
  co_return co_await (from(std::move(v)) | distinct_until_changed() | drain());
#else
  co_return co_await (from(std::move(v)) | distinct_until_changed(&row::key) | drain());
#endif
}
