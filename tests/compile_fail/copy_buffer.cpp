// tests/compile_fail/copy_buffer.cpp
// SPDX-License-Identifier: BSL-1.0

// A lease is moved; sharing the bytes is said with slice() or first().
// expect-error: deleted
#include <penstock/base/buffer.hpp>

penstock::buffer keep(const penstock::buffer& lent) {
#ifdef MUST_FAIL
  return lent;
#else
  return lent.first(lent.size());
#endif
}
