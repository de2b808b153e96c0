// tests/base/atomic_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/atomic.hpp>

#include <doctest/doctest.h>

#include <type_traits>

namespace {

static_assert(std::is_same_v<penstock::detail::atomic<int>, std::atomic<int>>);
static_assert(penstock::detail::memory_order_acquire == std::memory_order_acquire);

TEST_CASE("the alias is the standard's atomic with its orders") {
  namespace d = penstock::detail;
  d::atomic<int> n{1};
  CHECK(n.exchange(2, d::memory_order_acq_rel) == 1);
  n.store(3, d::memory_order_release);
  CHECK(n.load(d::memory_order_acquire) == 3);
  CHECK(n.fetch_add(1, d::memory_order_relaxed) == 3);
  CHECK(n.load(d::memory_order_seq_cst) == 4);
}

}  // namespace
