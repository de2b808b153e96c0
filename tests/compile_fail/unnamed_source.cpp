// tests/compile_fail/unnamed_source.cpp
// SPDX-License-Identifier: BSL-1.0
// expect-error(g++): name this object, or give its class a constructor
#include <penstock/core.hpp>
#include <penstock/stream.hpp>

#include <optional>
#include <string>

using namespace penstock;

struct once {
  std::string text;
  bool is_given = false;
  task<result<std::optional<std::string>>> next() {
    if (is_given) co_return std::nullopt;
    is_given = true;
    co_return text;
  }
};

task<result<std::size_t>> caller(std::string text) {
#ifdef MUST_FAIL
  co_return co_await (once{text} | count());  // lint-ok: G3 what is refused
#else
  once source{text};
  co_return co_await (source | count());
#endif
}
