// tests/model/model_test.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a model test is written:
///
///     MODEL_TEST("a wakeup is not lost") { model::proved(model::explore<world>(...)); }

#include <model/atomic.hpp>

#include <model/explorer.hpp>
#include <model/loop.hpp>
#include <support/skip.hpp>

#include <doctest/doctest.h>

namespace model {

// No schedule has failed.
inline void proved(const report& r) {
  INFO("PENSTOCK_MODEL_SCHEDULE=\"", r.name, "@", r.order, "\"");
  INFO(r.steps_told);
  CHECK(r.problem == "");
}
// One has: the bug that was planted.
inline void found(const report& r) { CHECK(r.problem != ""); }

}  // namespace model

#define MODEL_TEST_AS(function, name)                                             \
  static void function();                                                         \
  TEST_CASE(name) {                                                               \
    if (PENSTOCK_TSAN) return ::support::skip("ThreadSanitizer knows no fibers"); \
    function();                                                                   \
  }                                                                               \
  static void function()
#define MODEL_TEST(name) MODEL_TEST_AS(DOCTEST_ANONYMOUS(model_test_), name)
