// penstock/base/registered_memory.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Memory that direct I/O uses again and again, said once: a driver that can have the kernel pin
/// its pages for good does so, instead of for each operation. Usually by way of
/// `buffer_pool_options::registered`.

#include <penstock/base/atomic.hpp>
#include <penstock/base/spin_lock.hpp>

#include <cstddef>
#include <cstdint>

namespace penstock {
namespace detail {
struct memory_region {
  const void* begin = nullptr;  // null: the place is free
  std::size_t size = 0;
  std::uint64_t number = 0;  // which no other region has or had
};

// All regions of the process. A driver keeps a copy and looks at the version before each use: what
// is freed has left the list before, so that a later mapping at the same address is not taken for
// it.
class memory_regions {
 public:
  static constexpr std::size_t places = 64;

  [[nodiscard]] std::uint64_t version() const noexcept {
    return version_.load(memory_order_acquire);
  }
  // The place, or `places`: there is none.
  std::size_t add(const void* begin, std::size_t size) noexcept {
    lock_.lock();
    std::size_t at = 0;
    while (at < places && regions_[at].begin) ++at;
    if (at < places) regions_[at] = {begin, size, change()};
    lock_.unlock();
    return at;
  }
  void remove(std::size_t at) noexcept {
    lock_.lock();
    regions_[at] = {};
    change();
    lock_.unlock();
  }
  // Gives `fn` each place and what is there. The result is the version of that.
  template <class Fn>
  std::uint64_t each(Fn fn) noexcept {
    lock_.lock();
    const std::uint64_t seen = version();
    for (std::size_t at = 0; at < places; ++at) fn(at, regions_[at]);
    lock_.unlock();
    return seen;
  }

 private:
  std::uint64_t change() noexcept {
    const std::uint64_t next = version() + 1;
    version_.store(next, memory_order_release);
    return next;
  }

  spin_lock lock_;
  memory_region regions_[places];  // guarded by lock_
  atomic<std::uint64_t> version_{0};
};
inline constinit memory_regions registered_regions;
}  // namespace detail

/// Says that direct I/O will use `size` bytes at `begin` as long as this object lives.
///
/// **Shape.** registered -> used by any number of operations -> ended, before the memory is freed.
/// **Thread-safety.** distinct: safe; same object: one thread.
/// **Complexity.** O(1) here. A loop pins the pages of the whole region when its first direct
/// operation there begins, and does nothing else meanwhile; they count against RLIMIT_MEMLOCK, and
/// where the kernel refuses, operations work as without. 64 regions of at most 1 GiB each are known
/// at once; the others work as without.
/// **Lifetime.** no operation uses the memory when it ends. Until then the memory keeps its pages:
/// no munmap, no mremap, no madvise that discards them. After it a loop that had pinned them lets
/// go in its next turn, before it sleeps: one that sleeps already, when something wakes it.
/// **See also.** `buffer_pool_options::registered`.
class registered_memory {
 public:
  registered_memory(const void* begin, std::size_t size) noexcept
      : at_(!begin || size > longest ? detail::memory_regions::places
                                     : detail::registered_regions.add(begin, size)) {}
  registered_memory(const registered_memory&) = delete;
  registered_memory& operator=(const registered_memory&) = delete;
  ~registered_memory() {
    if (known()) detail::registered_regions.remove(at_);
  }

  /// Whether loops may pin it: there is memory, it is not too large, and there was room for it.
  [[nodiscard]] bool known() const noexcept { return at_ < detail::memory_regions::places; }

 private:
  static constexpr std::size_t longest = std::size_t{1} << 30;  // that the kernel takes as one
  std::size_t at_;
};

}  // namespace penstock
