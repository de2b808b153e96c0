// tests/compile_fail/copied_permit.cpp
// SPDX-License-Identifier: BSL-1.0

// A permit is moved; two owners of its parts are made with split().
// expect-error: deleted
#include <penstock/sync/semaphore.hpp>

penstock::semaphore_permit keep(penstock::semaphore_permit& held) {
#ifdef MUST_FAIL
  return held;
#else
  return held.split(1);
#endif
}
