// penstock/base/owned.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The owner of one object.

#include <penstock/base/taken.hpp>

#include <cstddef>

namespace penstock::detail {

// A std::unique_ptr of a twentieth of the cost to instantiate: for code that is no template.
template <class T>
class owned {
 public:
  owned() noexcept = default;
  owned(std::nullptr_t) noexcept {}
  explicit owned(T* p) noexcept : p_(p) {}
  owned(owned&& o) noexcept : p_(detail::taken(o.p_)) {}
  owned& operator=(owned&& o) noexcept {
    reset(detail::taken(o.p_));
    return *this;
  }
  ~owned() { delete p_; }

  [[nodiscard]] T* get() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  T* operator->() const noexcept { return p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }
  void reset(T* p = nullptr) noexcept {
    T* const old = p_;
    p_ = p;
    delete old;
  }
  [[nodiscard]] T* release() noexcept { return detail::taken(p_); }

 private:
  T* p_ = nullptr;
};

}  // namespace penstock::detail
