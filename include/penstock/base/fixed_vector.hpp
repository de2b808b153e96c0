// penstock/base/fixed_vector.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Objects whose number is known before the first of them is made.

#include <cstddef>
#include <new>
#include <utility>

namespace penstock::detail {

// They stay where they are made, so they need not be movable. A twentieth of a std::deque to parse.
template <class T>
class fixed_vector {
 public:
  fixed_vector() noexcept = default;
  explicit fixed_vector(std::size_t most) { reserve(most); }
  fixed_vector(const fixed_vector&) = delete;
  fixed_vector& operator=(const fixed_vector&) = delete;
  ~fixed_vector() {
    while (size_ != 0) first_[--size_].~T();
    ::operator delete (static_cast<void*>(first_), std::align_val_t{alignof(T)});
  }

  // Once, before the first: how many there may be.
  void reserve(std::size_t most) {
    first_ = static_cast<T*>(::operator new (most * sizeof(T), std::align_val_t{alignof(T)}));
  }
  template <class... Args>
  T& emplace_back(Args&&... args) {
    T* const made = ::new (static_cast<void*>(first_ + size_)) T(std::forward<Args>(args)...);
    ++size_;
    return *made;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] T& operator[](std::size_t i) noexcept { return first_[i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return first_[i]; }
  [[nodiscard]] T* begin() noexcept { return first_; }
  [[nodiscard]] T* end() noexcept { return first_ + size_; }
  [[nodiscard]] const T* begin() const noexcept { return first_; }
  [[nodiscard]] const T* end() const noexcept { return first_ + size_; }

 private:
  T* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace penstock::detail
