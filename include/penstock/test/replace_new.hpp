// penstock/test/replace_new.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Replaces the program's operator new and delete with ones that count: see allocation_counter.hpp.
/// Included for that by one translation unit of a test program, never by a library. Does nothing
/// under AddressSanitizer and ThreadSanitizer, whose own operators see more.

#include <penstock/base/config.hpp>
#include <penstock/test/allocation_counter.hpp>

#include <cstdlib>
#include <new>

#if !PENSTOCK_ASAN && !PENSTOCK_TSAN

// Weak, because it cannot be inline: a second translation unit that includes it is no error.
#define PENSTOCK_REPLACEMENT PENSTOCK_NOINLINE __attribute__((weak))

namespace penstock::detail {
inline void* counted_new(std::size_t size, std::size_t alignment) {
  count_allocation();
  if (size == 0) size = 1;
  for (;;) {
    void* p = alignment == 0
                  ? std::malloc(size)
                  : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (p) return p;
    const std::new_handler handler = std::get_new_handler();
    if (!handler) throw std::bad_alloc();
    handler();
  }
}
inline void counted_delete(void* p) noexcept {
  if (p) count_deallocation();
  std::free(p);
}
}  // namespace penstock::detail

// The other forms call these.
PENSTOCK_REPLACEMENT void* operator new(std::size_t size) {
  return penstock::detail::counted_new(size, 0);
}
PENSTOCK_REPLACEMENT void* operator new(std::size_t size, std::align_val_t alignment) {
  return penstock::detail::counted_new(size, static_cast<std::size_t>(alignment));
}
PENSTOCK_REPLACEMENT void operator delete(void* p) noexcept { penstock::detail::counted_delete(p); }
PENSTOCK_REPLACEMENT void operator delete(void* p, std::size_t) noexcept {
  penstock::detail::counted_delete(p);
}
PENSTOCK_REPLACEMENT void operator delete(void* p, std::align_val_t) noexcept {
  penstock::detail::counted_delete(p);
}
PENSTOCK_REPLACEMENT void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  penstock::detail::counted_delete(p);
}

#undef PENSTOCK_REPLACEMENT
#endif
