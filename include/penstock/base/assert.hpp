// penstock/base/assert.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// PENSTOCK_ASSERT for broken contracts: on in every build, unless PENSTOCK_NO_ASSERT is defined.
/// What a correct program must expect (a timeout, a missing file) is a value: result.hpp.

#include <penstock/base/atomic.hpp>
#include <penstock/base/config.hpp>

#include <cstdio>
#include <cstdlib>

namespace penstock {

/// A broken contract, as an assert handler sees it.
struct assert_failure {
  const char* file = "";
  int line = 0;
  const char* function = "";
  const char* expression = "";  ///< empty: the program was stopped because of invalid options
  const char* message = "";
};

/// Called for a broken contract. When it returns, the program aborts; a test's may throw.
using assert_handler = void (*)(const assert_failure&);

namespace detail {

inline void print_assert_failure(const assert_failure& f) {
  if (*f.expression) {
    std::fprintf(stderr, "%s:%d: %s: assertion `%s` failed: %s\n", f.file, f.line, f.function,
                 f.expression, f.message);
  } else {
    std::fprintf(stderr, "penstock: %s\n", f.message);
  }
}

// Set by set_assert_handler(), read by the failing thread.
inline constinit atomic<assert_handler> current_assert_handler{&print_assert_failure};

[[noreturn]] PENSTOCK_NOINLINE inline void assert_failed(const assert_failure& f) {
  current_assert_handler.load(memory_order_acquire)(f);
  std::abort();
}

// For what no build may go on with: options that validate() refuses.
[[noreturn]] PENSTOCK_NOINLINE inline void stop_program(const char* what) {
  assert_failed({"", 0, "", "", what});
}

}  // namespace detail

/// Replaces what is done about a broken contract, for the whole program.
///
/// **Parameters.** `handler`: null for the default, which prints one line to standard error.
/// **Result.** the handler that was in force.
/// **Thread-safety.** any thread.
inline assert_handler set_assert_handler(assert_handler handler) noexcept {
  if (!handler) handler = &detail::print_assert_failure;
  return detail::current_assert_handler.exchange(handler, detail::memory_order_acq_rel);
}

}  // namespace penstock

#ifdef PENSTOCK_NO_ASSERT
#define PENSTOCK_ASSERT(condition, message) static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define PENSTOCK_ASSERT(condition, message)          \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::penstock::detail::assert_failed({__FILE__, __LINE__, __func__, #condition, message}))
#endif
