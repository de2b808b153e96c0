// benchmarks/baseline/frame_pool.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Coroutine frames from free lists by size class, one set a thread; nothing is ever given back.

#include <cstddef>
#include <new>

namespace baseline {

class frame_pool {
 public:
  void* allocate(std::size_t size) {
    const std::size_t c = size_class(size);
    if (c >= classes) [[unlikely]]
      return ::operator new(size);
    if (block* b = free_[c]) [[likely]] {
      free_[c] = b->next;
      return b;
    }
    return ::operator new(c* granule);
  }
  void free(void* p, std::size_t size) noexcept {
    const std::size_t c = size_class(size);
    if (c >= classes) [[unlikely]]
      return ::operator delete(p);
    free_[c] = ::new (p) block{free_[c]};
  }

 private:
  struct block {
    block* next;
  };
  static constexpr std::size_t granule = 64;
  static constexpr std::size_t classes = 64;
  static std::size_t size_class(std::size_t size) { return (size + granule - 1) / granule; }

  block* free_[classes] = {};
};
inline constinit thread_local frame_pool frames{};

/// Base of a promise whose frames are pooled.
struct pooled_frame {
  static void* operator new(std::size_t size) { return frames.allocate(size); }
  static void operator delete(void* p, std::size_t size) noexcept { frames.free(p, size); }
};

}  // namespace baseline
