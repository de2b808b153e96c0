// penstock/stream/empty.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The streams without items: empty ends at once, never does not, fail_with fails. For the branches
/// of a program that have nothing to give, and for tests.

#include <penstock/core/sleep.hpp>
#include <penstock/stream/detail/await_slot.hpp>
#include <penstock/stream/stream.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace penstock {
namespace detail {
template <class T>
class empty_stream : public stream_interface<empty_stream<T>> {
 public:
  using value_type = T;
  static constexpr bool is_eager = false;
  static constexpr bool is_sync = true;

  empty_stream() noexcept {}  // no aggregate
  static void open(flow&) noexcept {}
  static pulled pull(pump&, std::optional<T>&) noexcept { return pulled::end; }
  template <class Push>
  static pulled drive(pump&, std::size_t&, Push) noexcept {
    return pulled::end;
  }
};
template <class T>
class never_stream : public stream_interface<never_stream<T>> {
 public:
  using value_type = T;
  static constexpr bool is_eager = false;

  never_stream() noexcept {}
  static void open(flow&) noexcept {}
  pulled pull(pump& p, std::optional<T>&) {
    if (!slot_.busy()) slot_.set(sleep_until((time_point::max)()));
    return slot_.advance(p);
  }

 private:
  await_slot<sleep_awaiter> slot_;
};
template <class T>
class failing_stream : public stream_interface<failing_stream<T>> {
 public:
  using value_type = T;
  static constexpr bool is_eager = false;
  static constexpr bool is_sync = true;

  explicit failing_stream(error e) noexcept : error_(std::move(e)) {}
  static void open(flow&) noexcept {}
  pulled pull(pump& p, std::optional<T>&) noexcept {
    p.of().fail(error_);
    return pulled::cut;
  }
  template <class Push>
  pulled drive(pump& p, std::size_t&, Push) noexcept {
    p.of().fail(error_);
    return pulled::cut;
  }

 private:
  error error_;
};
}  // namespace detail

/// No items.
///
/// **Shape.** `|`
/// **Errors.** none.
/// **Suspends.** never.
/// **Ordering.** emits nothing; backpressures never; completes when pulled; fails never; cancels
/// nothing: there is no wait in it.
/// **Complexity.** no allocation.
/// **Example.** @snippet tests/stream/empty_test.cpp empty
template <class T>
[[nodiscard]] detail::empty_stream<T> empty() noexcept {
  return detail::empty_stream<T>();
}

/// No items, and no end.
///
/// **Shape.** behind it idle_timeout(5ms): `-----#`
/// **Errors.** none.
/// **Suspends.** until it is stopped.
/// **Cancellation.** ends at once.
/// **Ordering.** emits, backpressures, completes and fails never; cancels its wait.
/// **Complexity.** no timer, no allocation.
/// **Example.** @snippet tests/stream/empty_test.cpp never
template <class T>
[[nodiscard]] detail::never_stream<T> never() noexcept {
  return detail::never_stream<T>();
}

/// No items, but an error, each time it is pulled.
///
/// **Shape.** `#`
/// **Parameters.** `e` - the error; copied.
/// **Errors.** `e`.
/// **Suspends.** never.
/// **Ordering.** emits nothing; backpressures and completes never; fails when pulled, each time;
/// cancels nothing: there is no wait in it.
/// **Complexity.** no allocation.
/// **Example.** @snippet tests/stream/empty_test.cpp fail_with
template <class T>
[[nodiscard]] detail::failing_stream<T> fail_with(error e) noexcept {
  return detail::failing_stream<T>(std::move(e));
}

}  // namespace penstock
