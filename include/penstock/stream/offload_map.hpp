// penstock/stream/offload_map.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Work that computes or blocks, on the cpu pool, several items at once.

#include <penstock/core/offload.hpp>
#include <penstock/stream/map_concurrent.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace penstock {
namespace detail {
// One call, with its item.
template <class Fn, class T>
struct offloaded_call {
  const Fn* fn;
  T item;
  decltype(auto) operator()() { return std::invoke(*fn, std::move(item)); }
};
// The function is the stage's own.
template <class Fn>
class offloaded {
  template <class T>
  using call = offloaded_call<Fn, std::remove_cvref_t<T>>;

 public:
  explicit offloaded(Fn fn) : fn_(std::move(fn)) {}
  template <class T>
  auto operator()(T&& item) -> decltype(offload(std::declval<call<T>>())) {
    static_assert(
        !awaitable<std::invoke_result_t<const Fn&, std::remove_cvref_t<T>>>,
        "the function of offload_map() runs on the cpu pool: it returns a value, no task");
    return offload(call<T>{std::addressof(fn_), std::forward<T>(item)});
  }

 private:
  Fn fn_;
};
}  // namespace detail

/// Each item as `fn(item)`, computed on the cpu pool, `n` at once, in the order of the items.
///
/// **Shape.** `-a-b-|` offload_map(2, upper) `-A-B-|`; a call that fails: `-a-!-b|` offload_map(2,
/// upper) `-A-#`
/// **Parameters.** `n` - as there; more than the pool has threads wait in its queue. `fn` - from an
/// item (an rvalue) to `T` or `result<T>`; called on several threads at once, as const: it shares
/// nothing that is not thread-safe. It does not await anything.
/// **Errors.** as `map_concurrent`.
/// **Ordering.** emits, backpressures, completes and fails as `map_concurrent`; cancels calls that
/// have not begun, and waits for those that have.
/// **Thread-safety.** see `fn`.
/// **Complexity.** as `map_concurrent`; two posts between threads for an item: for work of more
/// than some microseconds.
/// **Example.** @snippet tests/stream/map_unordered_test.cpp offload_map
template <class Fn>
[[nodiscard]] auto offload_map(std::size_t n, Fn&& fn) {
  detail::check_closure<Fn>();
  return map_concurrent(n, detail::offloaded<std::decay_t<Fn>>(std::forward<Fn>(fn)));
}

}  // namespace penstock
