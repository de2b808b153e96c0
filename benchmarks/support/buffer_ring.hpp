// benchmarks/support/buffer_ring.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Buffers that an io_uring takes from a ring when bytes arrive.

#include <liburing.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

namespace bench {

/// Zeroed memory that stays until the program ends, in huge pages where the kernel has them; null:
/// there is none.
inline std::byte* pages(std::size_t n) {
  void* const p = ::mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (p == MAP_FAILED) return nullptr;
  ::madvise(p, n, MADV_HUGEPAGE);
  return static_cast<std::byte*>(p);
}

/// Group 0 of a ring: `count` buffers, a power of two, of `size` bytes.
class buffer_ring {
 public:
  /// The negative errno, or 0. Once.
  int start(io_uring& ring, unsigned count, std::size_t size) {
    count_ = count;
    size_ = size;
    memory_ = pages(count * size);
    std::byte* const entries = pages(count * sizeof(io_uring_buf));
    if (!memory_ || !entries) return -ENOMEM;
    io_uring_buf_reg what{};
    what.ring_addr = reinterpret_cast<std::uintptr_t>(entries);
    what.ring_entries = count;
    if (const int r = ::io_uring_register_buf_ring(&ring, &what, 0); r < 0) return r;
    entries_ = reinterpret_cast<io_uring_buf_ring*>(entries);
    ::io_uring_buf_ring_init(entries_);
    for (unsigned i = 0; i < count; ++i) give_back(i);
    publish();
    return 0;
  }

  [[nodiscard]] std::byte* at(unsigned buffer) const { return memory_ + buffer * size_; }
  /// The kernel sees it after publish().
  void give_back(unsigned buffer) {
    ::io_uring_buf_ring_add(entries_, at(buffer), static_cast<unsigned>(size_),
                            static_cast<unsigned short>(buffer), ::io_uring_buf_ring_mask(count_),
                            given_++);
  }
  void publish() {
    ::io_uring_buf_ring_advance(entries_, given_);
    given_ = 0;
  }

 private:
  io_uring_buf_ring* entries_ = nullptr;
  std::byte* memory_ = nullptr;
  unsigned count_ = 0;
  std::size_t size_ = 0;
  int given_ = 0;
};

}  // namespace bench
