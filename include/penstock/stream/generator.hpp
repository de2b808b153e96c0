// penstock/stream/generator.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A coroutine as a source: it may await whatever it likes between two items. Without a coroutine:
/// generate.hpp.

#include <penstock/stream/detail/generator_promise.hpp>
#include <penstock/stream/stream.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace penstock {

/// A lazy coroutine that yields items with `co_yield`.
///
/// **Shape.** yields a and b, and ends, after 2 ms each: `--a-b-|`; ok() meets an error at the end:
/// `--a-b-#`; with a consumer that is busy for 3 ms: `--a----b----|`
/// **Result.** as a stream: `co_yield item` emits one. `ok(...)` may be used inside: an error that
/// it meets ends the coroutine and is the stream's.
/// **Errors.** those that `ok` meets; an exception that leaves the coroutine passes through. Either
/// ends it.
/// **Suspends.** as what the coroutine awaits.
/// **Cancellation.** a stop while the coroutine awaits something ends it: its frame is destroyed,
/// and the stream is at its end. A stop between two items does nothing to it.
/// **Ordering.** emits at `co_yield`; backpressures always: it runs only when it is pulled;
/// completes when the coroutine does; fails with it; cancels what it awaits.
/// **Thread-safety.** one owner; it runs on the loop of the one that pulls it.
/// **Complexity.** one frame from the per-thread recycler for its whole life; nothing for an item.
/// **Lifetime.** as `task`: parameters taken by reference outlive it; name the closure of a lambda.
/// A yielded item is moved out before the coroutine goes on.
/// **Example.** @snippet tests/stream/generator_test.cpp generator
template <class T>
class [[nodiscard("a generator does nothing until it is pulled")]] generator
    : public detail::stream_interface<generator<T>> {
 public:
  using promise_type = detail::generator_promise<T>;
  using value_type = T;
  static constexpr bool is_eager = false;
  static constexpr bool is_sync = true;

  generator(generator && o) noexcept
      : detail::stream_interface<generator>(), frame_(std::exchange(o.frame_, {})) {}
  generator& operator=(generator&& o) noexcept {
    std::swap(frame_, o.frame_);
    return *this;
  }
  ~generator() { drop(); }

  void open(detail::flow&) const noexcept {}
  detail::pulled pull(detail::pump & p, std::optional<T> & out) {
    const auto emit = [&](T&& item) {
      out.emplace(std::move(item));
      return false;
    };
    std::size_t one = 1;
    return drive(p, one, emit);
  }
  template <class Push>
  detail::pulled drive(detail::pump & p, std::size_t & left, Push push) {
    using detail::pulled;
    using state = detail::generator_state;
    if (!frame_) return pulled::end;
    if (!p.may_begin()) return pulled::wait;  // it is not known yet on which loop
    promise_type& self = frame_.promise();
    self.attach(p);
    for (; left != 0; --left) {
      const state s = self.run(p);
      if (s != state::yielded) return s == state::running ? pulled::wait : over(p, s);
      if (!push(self.take())) return pulled::item;
    }
    return pulled::wait;
  }

 private:
  friend promise_type;
  explicit generator(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  detail::pulled over(detail::pump & p, detail::generator_state s) {
    using detail::pulled;
    const struct last {
      generator* self;
      ~last() { self->drop(); }
    } at_end{this};
    promise_type& self = frame_.promise();
    if (s == detail::generator_state::stopped) {
      p.of().stopped();
      return pulled::cut;
    }
    self.rethrow_if_exception();
    if (!self.failed) return pulled::end;
    p.of().fail(std::move(*self.failed));
    return pulled::cut;
  }
  void drop() noexcept {
    if (frame_) std::exchange(frame_, {}).destroy();
  }

  std::coroutine_handle<promise_type> frame_;
};

namespace detail {
template <class T>
generator<T> generator_promise<T>::get_return_object() noexcept {
  return generator<T>(std::coroutine_handle<generator_promise>::from_promise(*this));
}
}  // namespace detail

}  // namespace penstock
