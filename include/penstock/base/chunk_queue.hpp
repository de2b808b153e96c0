// penstock/base/chunk_queue.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A queue without a bound: values in chunks, of which an empty one is kept for the next time.

#include <penstock/base/owned.hpp>
#include <penstock/base/taken.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace penstock::detail {

template <class T>
class chunk_queue {
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>);

 public:
  // About a page, and not fewer than 8 values.
  static constexpr std::size_t chunk_size = sizeof(T) < 496 ? 3968 / sizeof(T) : 8;
  struct chunk {
    chunk* next = nullptr;
    alignas(T) unsigned char bytes[chunk_size * sizeof(T)];
  };

  chunk_queue() noexcept = default;
  chunk_queue(const chunk_queue&) = delete;
  chunk_queue& operator=(const chunk_queue&) = delete;
  ~chunk_queue() {
    while (size_ != 0) drop_front();
    delete first_;
    delete spare_;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  // Whether push_back() needs a chunk first: given outside of any lock.
  [[nodiscard]] bool needs_chunk() const noexcept {
    return !spare_ && (!last_ || end_ == chunk_size);
  }
  // Takes one over; one too many is the caller's again.
  [[nodiscard]] owned<chunk> give(owned<chunk> c) noexcept {
    if (!spare_) spare_ = c.release();
    return c;
  }
  // Not while it needs a chunk.
  void push_back(T&& value) noexcept {
    if (!last_ || end_ == chunk_size) {
      chunk* const c = taken(spare_);
      c->next = nullptr;
      (last_ ? last_->next : first_) = c;
      if (!last_) begin_ = 0;
      last_ = c;
      end_ = 0;
    }
    ::new (static_cast<void*>(last_->bytes + end_ * sizeof(T))) T(std::move(value));
    ++end_;
    ++size_;
  }
  // Not empty.
  [[nodiscard]] T& front() noexcept {
    return *std::launder(reinterpret_cast<T*>(first_->bytes + begin_ * sizeof(T)));
  }
  void drop_front() noexcept {
    std::destroy_at(std::addressof(front()));
    --size_;
    if (size_ == 0) {
      begin_ = end_ = 0;  // from the start of the only chunk
    } else if (++begin_ == chunk_size) {
      chunk* const done = first_;
      first_ = first_->next;
      begin_ = 0;
      if (spare_)
        delete done;
      else
        spare_ = done;
    }
  }

 private:
  chunk* first_ = nullptr;
  chunk* last_ = nullptr;
  chunk* spare_ = nullptr;
  std::size_t begin_ = 0;  // in first_
  std::size_t end_ = 0;    // in last_
  std::size_t size_ = 0;
};

}  // namespace penstock::detail
