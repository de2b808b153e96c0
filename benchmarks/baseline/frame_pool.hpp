// benchmarks/baseline/frame_pool.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Coroutine frames from free lists by size class, one set a thread, refilled from slabs that are
/// never given back.

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
    return carve(c * granule);
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
  static constexpr std::size_t granule = 16;
  static constexpr std::size_t classes = 128;
  static constexpr std::size_t slab = 256 * 1024;
  static constexpr std::size_t size_class(std::size_t size) {
    return (size + granule - 1) / granule;
  }
  [[gnu::noinline]] void* carve(std::size_t size) {
    if (static_cast<std::size_t>(end_ - next_) < size) {
      next_ = static_cast<std::byte*>(::operator new (slab, std::align_val_t{64}));
      end_ = next_ + slab;
    }
    void* p = next_;
    next_ += size;
    return p;
  }

  block* free_[classes] = {};
  std::byte* next_ = nullptr;
  std::byte* end_ = nullptr;
};
inline constinit thread_local frame_pool frames{};

/// Base of a promise whose frames are pooled.
struct pooled_frame {
  static void* operator new(std::size_t size) { return frames.allocate(size); }
  static void operator delete(void* p, std::size_t size) noexcept { frames.free(p, size); }
};

}  // namespace baseline
