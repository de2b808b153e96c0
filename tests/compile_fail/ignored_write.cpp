// tests/compile_fail/ignored_write.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(clang): ignoring return value
#include <penstock/core/ok.hpp>
#include <penstock/io/file.hpp>

using namespace penstock;

task<result<>> caller(file& out, std::span<const std::byte> bytes) {
#ifdef MUST_FAIL
  co_await out.write_all(bytes);
#else
  co_await ok(out.write_all(bytes));
#endif
  co_return result<>{};
}
