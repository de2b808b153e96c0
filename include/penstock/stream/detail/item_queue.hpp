// penstock/stream/detail/item_queue.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A queue of items that forgets from both ends. Grows, by doubling, to the most it has held.

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace penstock::detail {

template <class T>
class item_queue {
 public:
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Room for so many, so that no push allocates.
  void reserve(std::size_t n) {
    if (n > slots_.size()) grow(n);
  }
  void push(T&& item) {
    if (size_ == slots_.size()) grow(size_ == 0 ? 8 : 2 * size_);
    at(size_).emplace(std::move(item));
    ++size_;
  }
  bool pop(std::optional<T>& out) {
    if (empty()) return false;
    out.emplace(*std::move(at(0)));
    drop_oldest();
    return true;
  }
  // These: not empty.
  [[nodiscard]] T& oldest() noexcept { return *at(0); }
  [[nodiscard]] T& newest() noexcept { return *at(size_ - 1); }
  void drop_oldest() noexcept {
    at(0).reset();
    first_ = first_ + 1 == slots_.size() ? 0 : first_ + 1;
    --size_;
  }
  void drop_newest() noexcept { at(--size_).reset(); }
  void clear() noexcept {
    while (size_ != 0) drop_newest();
  }

 private:
  std::optional<T>& at(std::size_t i) noexcept {
    i += first_;
    return slots_[i < slots_.size() ? i : i - slots_.size()];
  }
  void grow(std::size_t n) {
    std::vector<std::optional<T>> larger(n);
    for (std::size_t i = 0; i < size_; ++i) larger[i].emplace(*std::move(at(i)));
    slots_ = std::move(larger);
    first_ = 0;
  }

  std::vector<std::optional<T>> slots_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace penstock::detail
