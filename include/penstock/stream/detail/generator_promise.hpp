// penstock/stream/detail/generator_promise.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The promise of a generator. It completes into a turn, which is its scope: once for each item.

#include <penstock/core/task.hpp>
#include <penstock/stream/detail/flow.hpp>

#include <concepts>
#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {
template <class T>
class generator;

namespace detail {

enum class generator_state : unsigned char { idle, inside, running, yielded, ended, stopped };

template <class T>
struct generator_promise : promise_base {
  static_assert(std::is_object_v<T>, "a generator yields values");

  generator<T> get_return_object() noexcept;

  // To the one that pulls. A temporary lives until the coroutine goes on.
  struct to_turn {
    bool await_ready() const noexcept { return false; }
    transfer await_suspend(std::coroutine_handle<generator_promise> h) const noexcept {
      if (!h.promise().turn_.is_awaited) [[likely]]
        return transfer_back();
      return go(h.promise().turn_.tell());
    }
    void await_resume() const noexcept {}

   private:
    // To run(), which has resumed the coroutine.
    static transfer transfer_back() noexcept {
#if !PENSTOCK_TRAMPOLINE
      return std::noop_coroutine();
#endif
    }
  };
  to_turn yield_value(T&& item) noexcept { return yield(std::addressof(item)); }
  struct copied : to_turn {
    explicit copied(const T& item) : value(item) {}
    transfer await_suspend(std::coroutine_handle<generator_promise> h) noexcept {
      h.promise().item_ = std::addressof(value);
      return to_turn::await_suspend(h);
    }
    T value;
  };
  copied yield_value(const T& item) requires std::copy_constructible<T> {
    yield(nullptr);
    return copied(item);
  }

  to_turn final_suspend() noexcept {
    turn_.state = generator_state::ended;
    return {};
  }
  void return_void() noexcept { state = outcome::value; }
  // ok() met an error: the coroutine goes no further.
  step complete_with(const penstock::error& e) noexcept {
    failed.emplace(e);
    turn_.state = generator_state::ended;
    return {turn_.tell()};
  }

  // Before a series of run().
  void attach(pump& p) noexcept {
    if (turn_.state != generator_state::idle) return;
    turn_.pump_ = &p;
    turn_.parent = &p.of().up();
    turn_.env = env = &p.of().env();
    parent = &turn_;
  }
  // Runs to the next item; or looks whether it is there.
  generator_state run(pump& p) {
    if (turn_.state == generator_state::idle) {
      turn_.state = generator_state::inside;
      drive(handle_of(*this));
      if (turn_.state == generator_state::inside) {
        turn_.state = generator_state::running;
        turn_.is_awaited = true;
        p.of().begun();
        return generator_state::running;
      }
    }
    return turn_.state;
  }
  T take() {
    turn_.state = generator_state::idle;
    return std::move(*item_);
  }

  std::optional<penstock::error> failed;

 private:
  struct turn final : waiter, hook {
    turn() noexcept { hooked = this; }
    // It is at an item or its end.
    handle tell() noexcept {
      if (!std::exchange(is_awaited, false)) return {};
      return unwind(pump_->of().ended(*pump_));
    }
    // Nothing completes into it in another way.
    step done(waiter&, waiter*) noexcept override { return {}; }
    step stopped(waiter&, waiter*) noexcept override {
      state = generator_state::stopped;
      if (!std::exchange(is_awaited, false)) return {};
      state = generator_state::ended;  // the flow knows; the frame is dropped by the next pull
      return pump_->of().ended_stopped();
    }
    bool is_scope() const noexcept override { return true; }

    pump* pump_ = nullptr;
    generator_state state = generator_state::idle;
    bool is_awaited = false;  // the flow counts it as under way
  };

  to_turn yield(T* item) noexcept {
    item_ = item;
    turn_.state = generator_state::yielded;
    return {};
  }

  turn turn_;
  T* item_ = nullptr;
};

}  // namespace detail
}  // namespace penstock
