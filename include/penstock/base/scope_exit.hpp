// penstock/base/scope_exit.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Runs a callable at the end of a scope: return, exception, or a stop that unwinds the coroutine.
/// A clean-up that has to await is `finally` (core/finally.hpp).

#include <penstock/base/taken.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace penstock {

/// Calls `fn` when it is destroyed.
///
/// **Errors.** `fn` must not throw: the program would end.
/// **Lifetime.** a moved-from or released object calls nothing.
/// **Example.** `scope_exit note{[&] { cleaned = true; }};`
template <class Fn>
class [[nodiscard("a scope_exit that is not named runs at once")]] scope_exit {
 public:
  explicit scope_exit(Fn fn) noexcept(std::is_nothrow_move_constructible_v<Fn>)
      : fn_(std::move(fn)) {}
  scope_exit(scope_exit && other) noexcept(std::is_nothrow_move_constructible_v<Fn>)
      : fn_(std::move(other.fn_)), armed_(detail::exchanged(other.armed_, false)) {}
  scope_exit& operator=(scope_exit&&) = delete;
  ~scope_exit() {
    if (armed_) fn_();
  }

  /// Calls nothing, then or later.
  void release() noexcept { armed_ = false; }

 private:
  static_assert(std::invocable<Fn&>, "scope_exit takes a callable without parameters");
  Fn fn_;
  bool armed_ = true;
};

}  // namespace penstock
