// penstock/stream/detail/stage_call.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a stage's function may return: T, result<T>, or an awaitable of either.

#include <penstock/core/with_group.hpp>
#include <penstock/stream/detail/await_slot.hpp>
#include <penstock/stream/detail/flow.hpp>

#include <functional>
#include <type_traits>

namespace penstock::detail {

template <class R>
struct yields_of {
  using type = R;
};
template <awaitable R>
struct yields_of<R> {
  using type = await_result_t<R>;
};

template <class T>
struct opened_of {
  using type = std::remove_cvref_t<T>;
};
template <class T>
struct opened_of<result<T>> {
  using type = T;
};

// A call of F with Args.
template <class F, class... Args>
struct stage_call {
  using returned = std::invoke_result_t<F&, Args...>;
  static constexpr bool is_async = awaitable<returned>;
  using yielded = typename yields_of<returned>::type;  // T, result<T>
  using value = typename opened_of<yielded>::type;     // T
};

// Looks at what a call yielded: false, and the flow has failed, for an error.
template <class Yielded, class Use>
bool open_result(flow& f, Yielded&& y, Use&& use) {
  if constexpr (is_result_v<std::remove_cvref_t<Yielded>>) {
    if (!y.has_value()) {
      f.fail(std::forward<Yielded>(y).error());
      return false;
    }
    if constexpr (std::is_void_v<typename std::remove_cvref_t<Yielded>::value_type>)
      use();
    else
      use(*std::forward<Yielded>(y));
  } else if constexpr (std::is_same_v<std::remove_cvref_t<Yielded>, std::monostate>) {
    use();
  } else {
    use(std::forward<Yielded>(y));
  }
  return true;
}

// Calls a function that does not wait and opens what it yields.
template <class Use, class F, class... Args>
bool call_now(flow& f, Use&& use, F& fn, Args&&... args) {
  if constexpr (std::is_void_v<std::invoke_result_t<F&, Args...>>) {
    std::invoke(fn, std::forward<Args>(args)...);
    use();
    return true;
  } else {
    return open_result(f, std::invoke(fn, std::forward<Args>(args)...), std::forward<Use>(use));
  }
}

// An item and the call that works on it, for functions that wait. The item stays until the call has
// ended, by a stop or an exception too: the function may take it by reference. Arg is what the
// function gets: T or const T&.
template <class F, class T, class Arg = T, bool Async = stage_call<F, Arg>::is_async>
class item_call {
 public:
  [[nodiscard]] bool busy() const noexcept { return slot_.busy(); }
  // The place for the item of the next call.
  std::optional<T>& item() noexcept { return slot_.item(); }
  void begin(F& fn) {
    try {
      slot_.set(std::invoke(fn, static_cast<Arg&&>(*item())));
    } catch (...) {
      item().reset();
      throw;
    }
  }
  pulled advance(pump& p) { return slot_.advance(p); }
  // After advance() said `item`; use(value) unless it is an error, which the flow has got then.
  // The item is gone afterwards.
  template <class Use>
  bool finish(flow& f, Use&& use) {
    struct last {
      std::optional<T>* item;
      ~last() { item->reset(); }
    } at_end{&item()};
    return open_result(f, slot_.take(), std::forward<Use>(use));
  }

 private:
  await_slot<awaiter_t<typename stage_call<F, Arg>::returned>, std::optional<T>> slot_;
};
template <class F, class T, class Arg>
class item_call<F, T, Arg, false> {};

}  // namespace penstock::detail
