// penstock/base/unique_function.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A callable of any type that is moved and never copied: what std::function cannot hold.

#include <penstock/base/assert.hpp>
#include <penstock/base/taken.hpp>

#include <concepts>
#include <cstddef>
#include <cstring>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>

namespace penstock {

template <class Signature>
class unique_function;

namespace detail {
template <class T>
inline constexpr bool is_unique_function = false;
template <class Signature>
inline constexpr bool is_unique_function<unique_function<Signature>> = true;
}  // namespace detail

/// Owns a callable with the signature `R(Args...)`.
///
/// **Shape.** empty or one callable; up to three pointers in size it lives inside, else on the
/// heap.
/// **Errors.** what the callable throws; calling an empty one asserts.
/// **Thread-safety.** distinct: safe; same object: one thread, and as safe as the callable.
/// **Complexity.** a call is one indirect call; moving never allocates and never throws.
template <class R, class... Args>
class [[nodiscard]] unique_function<R(Args...)> {
 public:
  using result_type = R;

  unique_function() noexcept = default;
  unique_function(std::nullptr_t) noexcept {}
  template <class Fn>
  requires(!detail::is_unique_function<std::remove_cvref_t<Fn>> &&
           std::is_invocable_r_v<R, std::decay_t<Fn>&, Args...> &&
           std::constructible_from<std::decay_t<Fn>, Fn>) unique_function(Fn&& fn) {
    using F = std::decay_t<Fn>;
    using Given = std::remove_cvref_t<Fn>;
    if constexpr (std::is_pointer_v<Given> || std::is_member_pointer_v<Given>) {
      if (fn == nullptr) return;
    }
    if constexpr (fits<F>) {
      ::new (static_cast<void*>(storage_)) F(std::forward<Fn>(fn));
    } else {
      ::new (static_cast<void*>(storage_)) F*(new F(std::forward<Fn>(fn)));
    }
    operations_ = &operations_for<F>;
  }

  unique_function(unique_function&& other) noexcept { take(other); }
  unique_function& operator=(unique_function&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  unique_function& operator=(std::nullptr_t) noexcept {
    reset();
    return *this;
  }
  ~unique_function() { reset(); }

  [[nodiscard]] explicit operator bool() const noexcept { return operations_ != nullptr; }
  friend bool operator==(const unique_function& f, std::nullptr_t) noexcept { return !f; }

  R operator()(Args... args) {
    PENSTOCK_ASSERT(operations_, "an empty unique_function was called");
    return operations_->call(storage_, std::forward<Args>(args)...);
  }

 private:
  struct operations {
    R (*call)(void*, Args&&...);
    void (*move)(void* from, void* to) noexcept;  // null: the bytes are copied
    void (*destroy)(void*) noexcept;              // null: nothing to do
  };
  static constexpr std::size_t capacity = 3 * sizeof(void*);
  template <class F>
  static constexpr bool fits =
      sizeof(F) <= capacity &&
      alignof(F) <= alignof(void*) && std::is_nothrow_move_constructible_v<F>;

  template <class F>
  static F& target(void* storage) noexcept {
    if constexpr (fits<F>) {
      return *std::launder(static_cast<F*>(storage));
    } else {
      return **std::launder(static_cast<F**>(storage));
    }
  }
  template <class F>
  static R call(void* storage, Args&&... args) {
    if constexpr (std::is_void_v<R>) {
      static_cast<void>(std::invoke(target<F>(storage), std::forward<Args>(args)...));
    } else {
      return std::invoke(target<F>(storage), std::forward<Args>(args)...);
    }
  }
  template <class F>
  static void move(void* from, void* to) noexcept {
    ::new (to) F(std::move(target<F>(from)));
    target<F>(from).~F();
  }
  template <class F>
  static void destroy(void* storage) noexcept {
    if constexpr (fits<F>) {
      target<F>(storage).~F();
    } else {
      delete &target<F>(storage);
    }
  }
  template <class F>
  static constexpr operations operations_for{
      &call<F>, fits<F> && !std::is_trivially_copyable_v<F> ? &move<F> : nullptr,
      fits<F>&& std::is_trivially_destructible_v<F> ? nullptr : &destroy<F>};

  void take(unique_function& other) noexcept {
    operations_ = detail::taken(other.operations_);
    if (!operations_) return;
    if (operations_->move) {
      operations_->move(other.storage_, storage_);
    } else {
      std::memcpy(storage_, other.storage_, capacity);
    }
  }
  void reset() noexcept {
    const operations* const old = detail::taken(operations_);
    if (old && old->destroy) old->destroy(storage_);
  }

  const operations* operations_ = nullptr;
  alignas(void*) std::byte storage_[capacity] = {};
};

}  // namespace penstock
