// penstock/stream/detail/refused.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a `|` that cannot be gives, so that the sentence that says why is the only error.

#include <penstock/core/awaitable.hpp>

#include <concepts>
#include <type_traits>

namespace penstock::detail {

// What a stage or sink wants of the items: it has `static constexpr need needs`. Without: that its
// function takes them.
enum class need { call, bytes, buffers, copies, equality, channel };
template <class Part>
constexpr need need_of() {
  if constexpr (requires { Part::needs; })
    return Part::needs;
  else
    return need::call;
}
// Takes is false, when it is asked for.
template <class Part, bool Takes>
constexpr void check_need() {
  constexpr need n = need_of<Part>();
  static_assert(Takes || n != need::call,
                "this stage or sink does not take the items of the stream before it: its function "
                "is called with an item as an rvalue (filter, tap and the like: const T&)");
  static_assert(Takes || n != need::bytes,
                "this sink takes items with contiguous bytes (buffer, std::string): map() to them");
  static_assert(Takes || n != need::buffers, "this stage takes items of buffer: map() to them");
  static_assert(Takes || n != need::copies,
                "tee() copies the items, and each of its sinks, without stages before it, takes "
                "them: move-only items go into a shared_ptr first");
  static_assert(Takes || n != need::equality,
                "distinct_until_changed(key) compares what key(item), or the item, is: with ==");
  static_assert(Takes || n != need::channel, "to_channel(c) takes items that c can send");
}

// Converts to all that a caller could want.
struct anything {
  template <class T>
  operator T() const noexcept;  // NOLINT
};
struct refused {
  bool await_ready() const noexcept;
  template <class Handle>
  void await_suspend(Handle) const noexcept;
  anything await_resume() const noexcept;
  handle start(waiter&) const noexcept;
};
// The same, and no `awaitable`.
struct without_sink {
  bool await_ready() const noexcept;
  template <class Handle>
  void await_suspend(Handle) const noexcept;
  anything await_resume() const noexcept;
};
// For ok(source | ...), found by its argument.
refused ok(refused);

}  // namespace penstock::detail
