// penstock/core/detail/promise.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The promise of task<T>: where its outcome is kept, and how a task completes.

#include <penstock/base/assert.hpp>
#include <penstock/base/result.hpp>
#include <penstock/core/frame_allocator.hpp>
#include <penstock/core/waiter.hpp>

#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace penstock {
template <class T>
class task;

namespace detail {
enum class outcome : unsigned char { none, value, exception, error };

// Whether a task that ends need not outlast its value: with a trampoline it can destroy itself and
// leave the next coroutine behind, which saves the call of its destroy function.
template <class T>
inline constexpr bool is_handed_over = PENSTOCK_TRAMPOLINE &&
                                       sizeof(T) <= 16 && std::is_trivially_copyable_v<T>;
template <>
inline constexpr bool is_handed_over<void> = PENSTOCK_TRAMPOLINE;
template <class T>
inline constexpr bool is_handed_over<T&> = false;

// What scopes can read without knowing T.
struct promise_base : waiter {
  PENSTOCK_ALWAYS_INLINE static void* operator new(std::size_t n) { return frame_allocate(n); }
  PENSTOCK_ALWAYS_INLINE static void operator delete(void* p, std::size_t n) noexcept {
    frame_free(p, n);
  }

  promise_base() noexcept {}
  std::suspend_always initial_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept {
    ::new (static_cast<void*>(store_)) std::exception_ptr(std::current_exception());
    state = outcome::exception;
  }
  // state == exception
  std::exception_ptr& exception() noexcept {
    return *std::launder(reinterpret_cast<std::exception_ptr*>(store_));
  }
  // state == error: the result's error, inside the promise
  const penstock::error& error() const noexcept {
    return **std::launder(reinterpret_cast<const penstock::error* const*>(store_));
  }
  // Whether the frame goes at once: nobody waits to be told of this end, or it is told here.
  bool leaves() const noexcept {
    waiter& up = *parent;
    if (hook* const above = up.hooked; above && above->untold != 0) {
      if (state != outcome::value) return false;
      --above->untold;
      return true;
    }
#if PENSTOCK_TRAMPOLINE
    if (hands_over && state == outcome::value) {
      *up.slot = nullptr;
      go_known(handle_of(up));
      return true;
    }
#endif
    return false;
  }
  void rethrow_if_exception() {
    if (state == outcome::exception) [[unlikely]]
      std::rethrow_exception(exception());
  }
  // Before the value is taken: there is one, be it a result with an error, or the exception is
  // thrown.
  void need_value() {
    if (state != outcome::value) [[unlikely]]
      no_plain_value();
  }
  // g++ does not warn of the missing co_return.
  void assert_ended() const noexcept {
    PENSTOCK_ASSERT(state != outcome::none,
                    "a task that yields a value ended without co_return: a task<result<>> ends "
                    "with co_return {}");
  }

  outcome state = outcome::none;
  bool hands_over = false;  // the value goes to the frame of the one that awaits

 protected:
  ~promise_base() {
    if (state == outcome::exception) [[unlikely]]
      exception().~exception_ptr();
  }

 private:
  PENSTOCK_NOINLINE void no_plain_value() {
    rethrow_if_exception();
    assert_ended();
  }
};

struct final_awaiter {
  bool leaves;

  // Without a suspension the frame is destroyed at once, which saves an indirect call.
  bool await_ready() const noexcept { return leaves; }
  template <class Promise>
  transfer await_suspend(std::coroutine_handle<Promise> h) const noexcept {
    Promise& self = h.promise();
    waiter& up = *self.parent;
    hook* const above = up.hooked;
    if (!above) [[likely]]
      return go_known(handle_of(up));
    if (above->only_errors && self.state == outcome::value) {
      up.hooked = nullptr;
      return go_known(handle_of(up));
    }
    return tell(*above, up, self);
  }
  void await_resume() const noexcept {}

 private:
  // Apart: it would need a stack frame in every await_suspend.
  PENSTOCK_NOINLINE static transfer tell(hook& above, waiter& up, waiter& self) noexcept {
    return go(above.arrive(up, &self));
  }
};

template <class T>
struct task_promise : promise_base {
  static_assert(alignof(T) <= 16, "clang does not over-align coroutine frames: put it on the heap");
  union {
    T value;
    T* place;  // hands_over: where it goes
  };

  task_promise() noexcept {}
  ~task_promise() {
    if (state == outcome::value || state == outcome::error) value.~T();
  }
  task<T> get_return_object() noexcept;
  final_awaiter final_suspend() const noexcept { return {leaves()}; }

  template <class U = T>
  requires std::is_constructible_v<T, U&&>
  void return_value(U&& u) noexcept(std::is_nothrow_constructible_v<T, U&&>) {
    if constexpr (is_handed_over<T>) {
      if (hands_over) {
        ::new (static_cast<void*>(place)) T(std::forward<U>(u));
        state = outcome::value;
        return;
      }
    }
    ::new (static_cast<void*>(std::addressof(value))) T(std::forward<U>(u));
    if constexpr (is_result_v<T>) {
      if (!value.has_value()) {
        note_error();
        return;
      }
    }
    state = outcome::value;
  }
  // Completes this coroutine early, where it stands suspended; its owner destroys it.
  step complete_with(const penstock::error& e) noexcept requires is_result_v<T> {
    ::new (static_cast<void*>(std::addressof(value))) T(tl::unexpected<penstock::error>(e));
    note_error();
    return {{}, parent, this, false};
  }
  T take() {
    need_value();
    return std::move(value);
  }

 private:
  void note_error() noexcept {
    state = outcome::error;
    ::new (static_cast<void*>(store_)) const penstock::error*(&value.error());
  }
};

template <class T>
struct task_promise<T&> : promise_base {
  T* value = nullptr;

  task<T&> get_return_object() noexcept;
  final_awaiter final_suspend() const noexcept { return {leaves()}; }
  void return_value(T& v) noexcept {
    value = std::addressof(v);
    state = outcome::value;
  }
  T& take() {
    need_value();
    return *value;
  }
};

template <>
struct task_promise<void> : promise_base {
  task<void> get_return_object() noexcept;
  final_awaiter final_suspend() const noexcept { return {leaves()}; }
  void return_void() noexcept { state = outcome::value; }
  void take() { rethrow_if_exception(); }
};

// A task whose first parameter is std::allocator_arg, followed by an allocator: its frame comes
// from there. The allocator's copy stands behind the frame.
template <class T, class Allocator>
struct allocator_promise_base : task_promise<T> {
  using block = std::aligned_storage_t<16, 16>;
  using rebound = typename std::allocator_traits<Allocator>::template rebind_alloc<block>;
  static constexpr std::size_t frame_blocks(std::size_t n) noexcept { return (n + 15) / 16; }
  static constexpr std::size_t tail_blocks = (sizeof(rebound) + 15) / 16;
  static_assert(alignof(rebound) <= 16);

  static void give_back(void* p, std::size_t n) noexcept {
    auto* blocks = static_cast<block*>(p);
    auto* kept = std::launder(reinterpret_cast<rebound*>(blocks + frame_blocks(n)));
    rebound a(std::move(*kept));
    kept->~rebound();
    std::allocator_traits<rebound>::deallocate(a, blocks, frame_blocks(n) + tail_blocks);
  }

  static void* make(std::size_t n, const Allocator& from) {
    rebound a(from);
    auto* blocks = std::allocator_traits<rebound>::allocate(a, frame_blocks(n) + tail_blocks);
    ::new (static_cast<void*>(blocks + frame_blocks(n))) rebound(std::move(a));
    return blocks;
  }
};
// Not templates themselves: g++ would warn that operator delete does not match. Args: the types of
// the coroutine's other parameters, an lvalue of each is passed.
template <class T, class Allocator, class... Args>
struct allocator_promise : allocator_promise_base<T, Allocator> {
  static void* operator new(std::size_t n, std::allocator_arg_t, const Allocator& a,
                            const std::remove_reference_t<Args>&...) {
    return allocator_promise::make(n, a);
  }
  static void operator delete(void* p, std::size_t n) noexcept {
    allocator_promise::give_back(p, n);
  }
};
// The same for a member function. Without the object: clang does not pass a lambda's closure.
template <class T, class This, class Allocator, class... Args>
struct member_allocator_promise : allocator_promise_base<T, Allocator> {
  static void* operator new(std::size_t n, const std::remove_reference_t<This>&,
                            std::allocator_arg_t, const Allocator& a,
                            const std::remove_reference_t<Args>&...) {
    return member_allocator_promise::make(n, a);
  }
  static void* operator new(std::size_t n, std::allocator_arg_t, const Allocator& a,
                            const std::remove_reference_t<Args>&...) {
    return member_allocator_promise::make(n, a);
  }
  static void operator delete(void* p, std::size_t n) noexcept {
    member_allocator_promise::give_back(p, n);
  }
};
}  // namespace detail
}  // namespace penstock
