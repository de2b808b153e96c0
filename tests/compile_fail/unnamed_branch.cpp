// tests/compile_fail/unnamed_branch.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): name this object, or give its class a constructor
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <optional>
#include <string>

using namespace penstock;

struct none_of {
  std::string text;
  task<result<std::optional<int>>> next() { co_return std::nullopt; }
};

task<result<std::size_t>> caller(std::string text) {
  none_of source{text};
#ifdef MUST_FAIL
  co_return co_await (merge(source, none_of{text}) | count());  // lint-ok: G3 what is refused
#else
  none_of other{text};
  co_return co_await (merge(source, other) | count());
#endif
}
