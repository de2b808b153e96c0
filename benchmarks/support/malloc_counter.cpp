// SPDX-License-Identifier: BSL-1.0
#include "malloc_counter.hpp"

#include <cerrno>
#include <cstddef>

// glibc's own entry points: these definitions take the place of malloc and its relatives in the
// whole program, operator new included.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t n) {
  ++bench::allocations_of_thread;
  return __libc_malloc(n);
}
void* calloc(std::size_t count, std::size_t n) {
  ++bench::allocations_of_thread;
  return __libc_calloc(count, n);
}
void* realloc(void* p, std::size_t n) {
  ++bench::allocations_of_thread;
  return __libc_realloc(p, n);
}
void* aligned_alloc(std::size_t alignment, std::size_t n) {
  ++bench::allocations_of_thread;
  return __libc_memalign(alignment, n);
}
void* memalign(std::size_t alignment, std::size_t n) {
  ++bench::allocations_of_thread;
  return __libc_memalign(alignment, n);
}
int posix_memalign(void** p, std::size_t alignment, std::size_t n) {
  ++bench::allocations_of_thread;
  *p = __libc_memalign(alignment, n);
  return *p ? 0 : ENOMEM;
}
}
