// penstock/runtime/lease_store.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The buffers that a driver lends to sockets which wait for bytes: `receive()` gives them out as
/// leases, so that an idle connection holds none. Who writes a driver uses this; users have
/// `buffer`, and buffer_pool.hpp for buffers of their own.

#include <penstock/base/assert.hpp>
#include <penstock/base/buffer.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/runtime/detail/wake_event.hpp>

#include <sys/mman.h>
#include <cstddef>
#include <cstdint>
#include <new>

namespace penstock {
class lease_store;
namespace detail {
// Its address identifies the thread.
inline constinit thread_local char loop_thread_mark = 0;
}  // namespace detail

/// One buffer of a lease_store: free, in the kernel's hands, in a list of received ones, or lent.
class lease_slot final : public buffer_owner {
 public:
  /// The bytes as a lease; they come back to the store when its last slice ends, on any thread.
  [[nodiscard]] buffer lend() noexcept {
    return buffer::adopt({bytes, std::size_t{length}}, *this);
  }

  /// Whether its store has few buffers left: what nobody waits for is better copied.
  [[nodiscard]] bool scarce() const noexcept;

  lease_slot* next = nullptr;  ///< of the list that it is in
  std::byte* bytes = nullptr;
  std::uint32_t length = 0;  ///< bytes that were received
  std::uint32_t index = 0;   ///< its place in the store

 private:
  friend class lease_store;
  lease_slot() noexcept : buffer_owner(&lease_slot::give_back) {}
  static void give_back(buffer_owner* o) noexcept;
  lease_store* home_ = nullptr;
};

/// A fixed number of equal buffers of one loop.
///
/// **Shape.** create -> bind() by the loop's thread -> take, put -> unbind() -> ... -> abandon().
/// **Ordering.** the buffer that came back last is taken first: it is in the processor's cache.
/// **Thread-safety.** leases end on any thread; all else on the thread that it is bound to.
/// **Complexity.** O(1), no atomic operation on the loop's thread; one allocation for all buffers,
/// whose pages the system commits when they are first written.
/// **Lifetime.** it frees itself when it was abandoned and the last lease has ended.
class lease_store {
 public:
  /// **Parameters.** `count` - buffers; `size` - bytes of each; `wake` - is interrupted when a
  /// lease ends on another thread while somebody is hungry().
  /// **Errors.** throws std::bad_alloc.
  static lease_store* create(unsigned count, unsigned size, const detail::wake_event& wake) {
    return new lease_store(count, size, wake);
  }
  lease_store(const lease_store&) = delete;
  lease_store& operator=(const lease_store&) = delete;

  [[nodiscard]] unsigned count() const noexcept { return count_; }
  [[nodiscard]] unsigned size() const noexcept { return size_; }
  /// Buffers that are not taken, as far as this thread knows.
  [[nodiscard]] unsigned free() const noexcept { return free_; }
  [[nodiscard]] lease_slot& slot(unsigned index) noexcept { return slots_[index]; }

  /// The calling thread takes and puts from now on.
  void bind() noexcept { home_.store(&detail::loop_thread_mark, detail::memory_order_relaxed); }
  /// No thread does: leases that end are kept apart.
  void unbind() noexcept { home_.store(nullptr, detail::memory_order_relaxed); }

  /// A free buffer, or null.
  lease_slot* take() noexcept {
    if (!first_) [[unlikely]]
      collect();
    lease_slot* const s = first_;
    if (!s) [[unlikely]]
      return nullptr;
    first_ = s->next;
    --free_;
    return s;
  }
  /// Gives a buffer back that was taken.
  void put(lease_slot& s) noexcept {
    s.next = first_;
    first_ = &s;
    ++free_;
  }
  /// Takes back what ended on other threads. True: there was something.
  bool collect() noexcept {
    if (!foreign_.load(detail::memory_order_acquire)) return false;
    lock_.lock();
    lease_slot* list = detail::taken(returned_);
    foreign_.store(false, detail::memory_order_relaxed);
    lock_.unlock();
    while (list) {
      lease_slot& s = *list;
      list = s.next;
      put(s);
    }
    return true;
  }
  /// Whether somebody waits for a buffer: then the end of a lease on another thread wakes the loop.
  void hungry(bool yes) noexcept {
    lock_.lock();
    hungry_ = yes;
    lock_.unlock();
  }
  /// Whether a lease has ended on another thread since collect().
  [[nodiscard]] bool has_returned() const noexcept {
    return foreign_.load(detail::memory_order_acquire);
  }

  /// Its driver goes. Buffers that the kernel had are put() before.
  void abandon() noexcept {
    unbind();
    collect();
    lock_.lock();
    wake_ = nullptr;
    left_ = count_ - free_;
    for (lease_slot* s = returned_; s; s = s->next) --left_;  // ended since
    const bool last = left_ == 0;
    lock_.unlock();
    if (last) delete this;
  }

 private:
  friend class lease_slot;

  lease_store(unsigned count, unsigned size, const detail::wake_event& wake)
      : count_(count), size_(size), wake_(&wake), slots_(new lease_slot[count]) {
    void* const m =
        ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED) {
      delete[] slots_;
      throw std::bad_alloc();
    }
    memory_ = static_cast<std::byte*>(m);
    for (unsigned i = count; i-- > 0;) {
      slots_[i].home_ = this;
      slots_[i].index = i;
      slots_[i].bytes = memory_ + std::size_t{i} * size_;
      put(slots_[i]);
    }
  }
  ~lease_store() {
    ::munmap(memory_, bytes());
    delete[] slots_;
  }
  [[nodiscard]] std::size_t bytes() const noexcept { return std::size_t{count_} * size_; }

  void ended(lease_slot& s) noexcept {
    if (home_.load(detail::memory_order_relaxed) == &detail::loop_thread_mark) [[likely]] {
      put(s);
      return;
    }
    ended_elsewhere(s);
  }
  PENSTOCK_NOINLINE void ended_elsewhere(lease_slot& s) noexcept {
    lock_.lock();
    if (!wake_) {  // abandoned
      const bool last = --left_ == 0;
      lock_.unlock();
      if (last) delete this;
      return;
    }
    s.next = returned_;
    returned_ = &s;
    foreign_.store(true, detail::memory_order_release);
    if (hungry_) wake_->interrupt();
    lock_.unlock();
  }

  const unsigned count_;
  const unsigned size_;
  unsigned free_ = 0;
  lease_slot* first_ = nullptr;
  detail::atomic<const char*> home_{nullptr};  // the mark of the thread it is bound to
  detail::atomic<bool> foreign_{false};        // returned_ is not empty
  detail::spin_lock lock_;
  const detail::wake_event* wake_;  // this and what follows guarded by lock_; null: abandoned
  lease_slot* returned_ = nullptr;  // ended on other threads
  unsigned left_ = 0;               // abandoned: leases that have not ended
  bool hungry_ = false;
  lease_slot* const slots_;  // its own
  std::byte* memory_ = nullptr;
};

inline bool lease_slot::scarce() const noexcept { return home_->free() < home_->count() / 4; }
inline void lease_slot::give_back(buffer_owner* o) noexcept {
  auto& self = static_cast<lease_slot&>(*o);
  self.home_->ended(self);
}

}  // namespace penstock
