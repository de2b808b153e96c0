// penstock/sync/detail/ring.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A queue of at most so many values, allocated once, for one thread at a time. With the interface
/// of sequenced_ring.hpp.

#include <penstock/sync/detail/landing.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace penstock::detail {

template <class T>
class ring {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>);

 public:
  explicit ring(std::size_t capacity)
      : slots_(capacity ? new slot[capacity] : nullptr), capacity_(capacity) {}
  ring(const ring&) = delete;
  ring& operator=(const ring&) = delete;
  ~ring() {
    for (; size_ != 0; drop_front()) std::destroy_at(front());
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool full() const noexcept { return size_ == capacity_; }

  // Moves `value` in. False: it is full, or shut.
  bool try_push(T& value) noexcept {
    if (shut_ || full()) return false;
    push_back(std::move(value));
    return true;
  }
  // Moves the oldest value out. False: it is empty, or shut.
  bool try_pop(landing<T>& to) noexcept {
    if (shut_ || empty()) return false;
    pop_front(to);
    return true;
  }
  void shut() noexcept { shut_ = true; }
  void open() noexcept { shut_ = false; }

  // Not full.
  void push_back(T&& value) noexcept {
    std::size_t at = first_ + size_;
    if (at >= capacity_) at -= capacity_;
    ::new (static_cast<void*>(slots_[at].bytes)) T(std::move(value));
    ++size_;
  }
  // Not empty.
  void pop_front(landing<T>& to) noexcept {
    T* const value = front();
    to.emplace(std::move(*value));
    std::destroy_at(value);
    drop_front();
  }

 private:
  T* front() noexcept { return std::launder(reinterpret_cast<T*>(slots_[first_].bytes)); }
  void drop_front() noexcept {
    if (++first_ == capacity_) first_ = 0;
    --size_;
  }

  struct slot {
    alignas(T) unsigned char bytes[sizeof(T)];
  };
  std::unique_ptr<slot[]> slots_;
  std::size_t capacity_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  bool shut_ = false;
};

}  // namespace penstock::detail
