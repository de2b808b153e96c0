// penstock/stream/map_concurrent.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Works on several items at once and keeps their order. One at a time: map.hpp.

#include <penstock/stream/detail/concurrent.hpp>

#include <cstddef>
#include <utility>

namespace penstock {
namespace detail {
// The places in use are a queue.
template <class Up, class F>
class map_concurrent_stream : public concurrent_stream<map_concurrent_stream<Up, F>, Up, F> {
  using base = concurrent_stream<map_concurrent_stream, Up, F>;
  using place = typename base::place;
  friend base;

 public:
  map_concurrent_stream(Up&& up, F&& fn, std::size_t n)
      : base(std::move(up), std::move(fn), n, "map_concurrent") {}

 private:
  void arrived(place& p) {
    queue_.push(p);
    this->begin(p);
  }
  void done(place&) const noexcept {}
  place* next_done() noexcept {
    return queue_.first && queue_.first->output ? queue_.pop() : nullptr;
  }

  typename base::place_queue queue_;
};
}  // namespace detail

/// Each item as `fn(item)`, `n` at once, in the order of the items.
///
/// **Shape.** a takes 5 ms, others 1 ms: `-a-b-c-|` map_concurrent(3, answer) `------(abc)|`; with
/// two places: `-a-b-c-|` map_concurrent(2, answer) `------(ab)(c|)`; a call that fails: `-a-!-b-|`
/// map_concurrent(3, answer) `----#`
/// **Parameters.** `n` - how many items are in work or done and not yet taken, at least 1; `fn` -
/// as for `map`; to use more than this loop's thread let it return `offload(...)`.
/// **Errors.** an error or exception of `fn`, as soon as it occurs: the others are stopped and
/// waited for. `errc::invalid_option` for n = 0.
/// **Ordering.** emits when the oldest item is done; backpressures when n items are in work or wait
/// to be taken; completes when all are taken; fails at once; cancels all calls in flight. Eager:
/// the calls go on while the consumer is busy.
/// **Complexity.** one allocation for the n places; none per item.
/// **Lifetime.** as for `map`. It needs a sink: the pipeline is the scope of the calls.
/// **Example.** @snippet tests/stream/map_concurrent_test.cpp map_concurrent
template <class Fn>
[[nodiscard]] auto map_concurrent(std::size_t n, Fn&& fn) {
  detail::check_closure<Fn>();
  return detail::concurrent_stage<detail::map_concurrent_stream, std::decay_t<Fn>>(
      n, std::forward<Fn>(fn));
}

}  // namespace penstock
