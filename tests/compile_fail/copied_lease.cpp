// tests/compile_fail/copied_lease.cpp
// SPDX-License-Identifier: BSL-1.0

// The bytes are given back once: a lease is moved.
// expect-error: deleted
#include <penstock/pool/memory_budget.hpp>

penstock::budget_lease keep(penstock::budget_lease& held) {
#ifdef MUST_FAIL
  return held;
#else
  return std::move(held);
#endif
}
