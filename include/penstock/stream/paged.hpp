// penstock/stream/paged.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The items of an API that gives them in pages. Whatever else a coroutine can fetch:
/// generator.hpp.

#include <penstock/stream/detail/eager.hpp>
#include <penstock/stream/detail/stage_call.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace penstock {

/// What the function of `paged` returns: items, and where the next ones are.
template <class T, class Cursor>
struct page {
  std::vector<T> items;
  std::optional<Cursor> next;  ///< none: it is the last page
};

namespace detail {
template <class P>
struct page_of;
template <class T, class Cursor>
struct page_of<page<T, Cursor>> {
  using item = T;
  using cursor = Cursor;
};

template <class F, class Cursor>
class paged_stream
    : public eager_stream<paged_stream<F, Cursor>,
                          typename page_of<typename stage_call<F, const Cursor&>::value>::item>,
      pump {
  using call = stage_call<F, const Cursor&>;
  using page_type = typename call::value;
  using T = typename page_of<page_type>::item;
  using base = eager_stream<paged_stream, T>;
  static_assert(call::is_async, "the function of paged() awaits its page: generate() for others");
  static_assert(std::is_same_v<typename page_of<page_type>::cursor, Cursor>,
                "the pages of paged() have another cursor than the first one");
  friend base;

 public:
  paged_stream(F&& fn, Cursor&& first) : fn_(std::move(fn)), next_(std::move(first)) {}
  paged_stream(paged_stream&& o)
      : base(), pump(), fn_(std::move(o.fn_)), next_(std::move(o.next_)) {}

  void open(flow& f) {
    this->open_stage(f);
    pump::attach(f);
  }

 private:
  // One page ahead: the next is asked for when the one before is begun.
  void fill() {
    if (ahead_) return;
    if (!call_.busy()) {
      if (!next_) return;
      call_.item() = std::exchange(next_, std::nullopt);
      call_.begin(fn_);
    }
    if (call_.advance(*this) != pulled::item) return;
    call_.finish(base::of(), [&](page_type&& p) {
      next_ = std::move(p.next);
      ahead_.emplace(std::move(p.items));
    });
  }
  bool take(std::optional<T>& out) {
    while (at_ == present_.size()) {
      if (!ahead_) return false;
      present_ = *std::exchange(ahead_, std::nullopt);
      at_ = 0;
      fill();
    }
    out.emplace(std::move(present_[at_++]));
    return true;
  }
  [[nodiscard]] bool finished() const noexcept { return !ahead_ && !next_ && !call_.busy(); }
  step wake() noexcept override { return this->news(); }

  F fn_;
  std::optional<Cursor> next_;
  std::optional<std::vector<T>> ahead_;
  std::vector<T> present_;
  std::size_t at_ = 0;  // in present_
  item_call<F, Cursor, const Cursor&> call_;
};
}  // namespace detail

/// The items of all pages, one page ahead of the consumer.
///
/// **Shape.** pages of aa, bb, cc, dd, 2 ms each: `--(aa)-(bb)-(cc)-(dd|)`; with a consumer that is
/// busy for 1 ms: `--aabbccdd|`; a second page that fails: `--ab#`
/// **Parameters.** `fn` - from `const Cursor&` to an awaitable of `page<T, Cursor>`, or of a
/// `result` of it. Copied, as by `map`. `first` - the cursor of the first page.
/// **Errors.** an error or exception of `fn` is the stream's, as soon as it occurs.
/// **Ordering.** emits in the order of the pages; backpressures with one page that waits behind the
/// one that is being emitted; completes behind the page without a next one; fails at once; cancels
/// the call that is on.
/// **Complexity.** eager: needs a sink. No allocation but those of `fn`.
/// **Lifetime.** a cursor lives until the call with it has ended.
/// **Example.** @snippet tests/stream/any_stream_test.cpp paged
template <class Fn, class Cursor>
[[nodiscard]] auto paged(Fn&& fn, Cursor first) {
  detail::check_closure<Fn>();
  return detail::paged_stream<std::decay_t<Fn>, Cursor>(std::decay_t<Fn>(std::forward<Fn>(fn)),
                                                        std::move(first));
}

}  // namespace penstock
