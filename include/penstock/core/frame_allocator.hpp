// penstock/core/frame_allocator.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Where coroutine frames live: per-thread free lists by size class, refilled from and spilled to a
/// shared depot in batches. In steady state a task costs no call of operator new.
///
/// After Bonwick's magazines (USENIX 2001). A thread keeps at most two batches a class, so frames
/// that one thread creates and another frees travel through the depot instead of piling up. The
/// depot grows to the peak of live frames and keeps it: after the first MiB by regions of 2 MiB for
/// which huge pages are advised. Frames above 16 KiB, and all frames under AddressSanitizer (so
/// that it sees them), come from operator new. Put no buffer in a frame.

#include <penstock/base/config.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/base/taken.hpp>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace penstock {

/// Counters of the frame recycler, over all threads since the start; for tests and for curiosity.
struct frame_stats {
  std::uint64_t slabs = 0;     ///< slabs of frames, each from operator new or out of a region
  std::uint64_t regions = 0;   ///< regions of 2 MiB that slabs are cut out of
  std::uint64_t refills = 0;   ///< batches that threads took from the depot
  std::uint64_t spills = 0;    ///< batches that threads gave back
  std::uint64_t oversize = 0;  ///< frames above 16 KiB: operator new each
};

namespace detail {

// 16-byte steps to 512, 64-byte steps to 2048, 512-byte steps to 16 KiB.
constexpr std::size_t frame_classes = 32 + 24 + 28;
constexpr std::size_t max_frame = 16 * 1024;
constexpr std::size_t frame_class(std::size_t n) noexcept {
  if (n <= 512) return (n + 15) / 16 - 1;
  if (n <= 2048) return 32 + (n - 512 + 63) / 64 - 1;
  return 56 + (n - 2048 + 511) / 512 - 1;
}
constexpr std::size_t frame_class_size(std::size_t c) noexcept {
  if (c < 32) return (c + 1) * 16;
  if (c < 56) return 512 + (c - 31) * 64;
  return 2048 + (c - 55) * 512;
}
static_assert(frame_class(1) == 0 && frame_class(16) == 0 && frame_class(17) == 1);
static_assert(frame_class(512) == 31 && frame_class(513) == 32 && frame_class(2049) == 56);
static_assert(frame_class(max_frame) == frame_classes - 1);
static_assert(frame_class_size(frame_classes - 1) == max_frame);

struct free_frame {
  free_frame* next;
  free_frame* next_batch;  // of a batch's first frame, in the depot
  std::uint32_t count;     // of frames from this one on
};
// The ends of lists: `next` is null. Of one that the thread has not used yet: full, too.
inline constinit free_frame no_frames{nullptr, nullptr, 0};
inline constinit free_frame unused_frames{nullptr, nullptr, ~std::uint32_t{0}};
// A coroutine's frame is never that small: resume, destroy and a promise are more.
constexpr std::size_t min_frame = 32;
static_assert(sizeof(free_frame) <= min_frame);

// Frames that move between a thread and the depot at once: about 8 KiB, at least two.
constexpr std::uint32_t frame_batch(std::size_t size) noexcept {
  const std::size_t n = 8192 / size;
  return static_cast<std::uint32_t>(n < 2 ? 2 : n > 64 ? 64 : n);
}

struct frame_list {
  free_frame* first = &unused_frames;  // taken from and given to: up to a batch
  free_frame* spare = nullptr;         // a full batch, or null
};

// 2 MiB at such an address: one huge page, where there are any. Null: there is no memory, or no
// mmap. Never given back.
constexpr std::size_t frame_region = 2 * 1024 * 1024;
inline unsigned char* map_frame_region() noexcept {
#ifdef MADV_HUGEPAGE
  void* const mapped =
      ::mmap(nullptr, 2 * frame_region, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<unsigned char*>(mapped);
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(begin) % frame_region;
  if (before != 0) ::munmap(begin, before);
  ::munmap(begin + before + frame_region, frame_region - before);
  ::madvise(begin + before, frame_region, MADV_HUGEPAGE);  // else they are small pages
  return begin + before;
#else
  return nullptr;
#endif
}
inline void unmap_frame_region([[maybe_unused]] unsigned char* region) noexcept {
#ifdef MADV_HUGEPAGE
  ::munmap(region, frame_region);
#endif
}

class frame_depot {
 public:
  free_frame* take(std::size_t c) {
    lock_.lock();
    ++stats_.refills;
    if (auto* batch = batches_[c]) {
      batches_[c] = batch->next_batch;
      lock_.unlock();
      return batch;
    }
    lock_.unlock();
    return carve(c);
  }
  void give(std::size_t c, free_frame* batch) noexcept {
    lock_.lock();
    ++stats_.spills;
    batch->next_batch = batches_[c];
    batches_[c] = batch;
    lock_.unlock();
  }
  void count_oversize() noexcept {
    lock_.lock();
    ++stats_.oversize;
    lock_.unlock();
  }
  frame_stats stats() noexcept {
    lock_.lock();
    auto copy = stats_;
    lock_.unlock();
    return copy;
  }

 private:
  // One slab makes several batches; the first is returned, the others go to the depot: in the order
  // of their addresses, which is the order of their use, and the processor fetches ahead.
  free_frame* carve(std::size_t c) {
    const std::size_t size = frame_class_size(c);
    const std::uint32_t per_batch = frame_batch(size);
    const auto [memory, count] = slab_memory(per_batch * size);
    free_frame* all = nullptr;
    free_frame* last = nullptr;
    for (std::size_t b = count; b-- > 0;) {
      free_frame* batch = &no_frames;
      for (std::size_t i = per_batch; i-- > 0;) {
        batch = ::new (memory + (b * per_batch + i) * size)
            free_frame{batch, nullptr, batch->count + 1};
      }
      batch->next_batch = all;
      all = batch;
      if (!last) last = batch;
    }
    lock_.lock();
    ++stats_.slabs;
    if (last != all) {
      last->next_batch = batches_[c];
      batches_[c] = all->next_batch;
    }
    lock_.unlock();
    return all;
  }
  struct slab_part {
    unsigned char* memory;
    std::size_t batches;
  };
  // About 64 KiB, four batches at least; the end of a region may be less.
  slab_part slab_memory(std::size_t batch) {
    const std::size_t count = batch < slab / 4 ? slab / batch : 4;
    lock_.lock();
    if (alone_ < frame_region / 2) {  // a program with few tasks
      alone_ += count * batch;
    } else {
      if (region_left_ < batch) replace_region(batch);
      if (region_left_ >= batch) {
        const std::size_t fit = region_left_ / batch;
        const slab_part part{region_, fit < count ? fit : count};
        region_ += part.batches * batch;
        region_left_ -= part.batches * batch;
        lock_.unlock();
        return part;
      }
    }
    lock_.unlock();
    return {static_cast<unsigned char*>(::operator new(count* batch)), count};
  }
  // Leaves the lock meanwhile; another thread may be first.
  void replace_region(std::size_t batch) noexcept {
    lock_.unlock();
    auto* const mapped = map_frame_region();
    lock_.lock();
    if (!mapped) return;
    if (region_left_ < batch) {
      region_ = mapped;
      region_left_ = frame_region;
      ++stats_.regions;
      return;
    }
    lock_.unlock();
    unmap_frame_region(mapped);
    lock_.lock();
  }
  static constexpr std::size_t slab = 64 * 1024;

  spin_lock lock_;
  std::size_t alone_ = 0;            // bytes in slabs from operator new, as long as that is the way
  unsigned char* region_ = nullptr;  // what is left of the last one
  std::size_t region_left_ = 0;
  free_frame* batches_[frame_classes] = {};
  frame_stats stats_;
};
// Never destroyed: a thread may end after the statics of the program.
inline constinit frame_depot frames_depot;

struct frame_cache {
  frame_list lists[frame_classes];
};
inline constinit thread_local frame_cache frames_of_thread{};

// Hands the thread's frames to the depot when the thread ends. Apart from the cache, so that the
// cache needs no guard in the fast path.
struct frame_reaper {
  bool armed = false;
  ~frame_reaper() {
    for (std::size_t c = 0; c < frame_classes; ++c) {
      auto& l = frames_of_thread.lists[c];
      if (l.first->next) frames_depot.give(c, l.first);
      if (l.spare) frames_depot.give(c, l.spare);
      l = {};
    }
  }
};
inline thread_local frame_reaper reaper_of_thread;

PENSTOCK_NOINLINE inline void* frame_refill(std::size_t c) {
  reaper_of_thread.armed = true;
  auto& l = frames_of_thread.lists[c];
  free_frame* const f = l.spare ? detail::taken(l.spare) : frames_depot.take(c);
  l.first = f->next;
  return f;
}
// `first` is full: it becomes the spare one, and that one goes to the depot.
PENSTOCK_NOINLINE inline void frame_spill(std::size_t c) noexcept {
  reaper_of_thread.armed = true;
  auto& l = frames_of_thread.lists[c];
  free_frame* const full = l.first;
  l.first = &no_frames;
  if (!full->next) return;  // the thread's first frame of this class came from another one
  if (l.spare) frames_depot.give(c, l.spare);
  l.spare = full;
}

// Inlined: a coroutine's frame has a constant size, and with it a constant class.
PENSTOCK_ALWAYS_INLINE inline void* frame_allocate(std::size_t n) {
#if !PENSTOCK_ASAN
  if (n <= max_frame) [[likely]] {
    const std::size_t c = frame_class(n < min_frame ? min_frame : n);
    auto& l = frames_of_thread.lists[c];
    auto* const f = l.first;
    if (auto* const following = f->next) [[likely]] {
      l.first = following;
      return f;
    }
    return frame_refill(c);
  }
  frames_depot.count_oversize();
#endif
  return ::operator new(n);
}
PENSTOCK_ALWAYS_INLINE inline void frame_free(void* p, std::size_t n) noexcept {
#if !PENSTOCK_ASAN
  if (n <= max_frame) [[likely]] {
    const std::size_t c = frame_class(n < min_frame ? min_frame : n);
    auto& l = frames_of_thread.lists[c];
    if (l.first->count >= frame_batch(frame_class_size(c))) [[unlikely]]
      frame_spill(c);
    auto* f = static_cast<free_frame*>(p);
    f->next = l.first;
    f->count = l.first->count + 1;
    l.first = f;
    return;
  }
#endif
  ::operator delete(p, n);
}
}  // namespace detail

/// A snapshot of the frame recycler's counters. Thread-safe; takes a lock.
[[nodiscard]] inline frame_stats frame_recycler_stats() noexcept {
  return detail::frames_depot.stats();
}

}  // namespace penstock
