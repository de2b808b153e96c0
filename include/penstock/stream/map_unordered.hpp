// penstock/stream/map_unordered.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Works on several items at once and emits results as they come; and the same as a sink. In the
/// order of the items: map_concurrent.hpp.

#include <penstock/stream/detail/concurrent.hpp>
#include <penstock/stream/drain.hpp>

#include <cstddef>
#include <utility>

namespace penstock {
namespace detail {
// The places that are done are a queue.
template <class Up, class F>
class map_unordered_stream : public concurrent_stream<map_unordered_stream<Up, F>, Up, F> {
  using base = concurrent_stream<map_unordered_stream, Up, F>;
  using place = typename base::place;
  friend base;

 public:
  map_unordered_stream(Up&& up, F&& fn, std::size_t n, const char* name = "map_unordered")
      : base(std::move(up), std::move(fn), n, name) {}

 private:
  void arrived(place& p) { this->begin(p); }
  void done(place& p) noexcept { done_.push(p); }
  place* next_done() noexcept { return done_.pop(); }

  typename base::place_queue done_;
};
template <class F>
class each_concurrent_sink : public stream_sink {
 public:
  each_concurrent_sink(std::size_t n, F fn) : n_(n), fn_(std::move(fn)) {}
  template <class Up>
  requires std::invocable<F&, typename Up::value_type>
  auto over(Up&& up) && {
    using calls = map_unordered_stream<Up, F>;
    return for_each(drop_one())
        .over(calls(std::move(up), std::move(fn_), n_, "for_each_concurrent"));
  }

 private:
  std::size_t n_;
  F fn_;
};
}  // namespace detail

/// Each item as `fn(item)`, `n` at once, results as they come.
///
/// **Shape.** a takes 5 ms, others 1 ms: `-a-b-c-|` map_unordered(2, answer) `----b-(ac)|`; a call
/// that fails: `-a-!-b-|` map_unordered(2, answer) `----#`
/// **Parameters.** as for `map_concurrent`.
/// **Errors.** as `map_concurrent`.
/// **Ordering.** emits when any `fn` has ended: in that order; backpressures when `n` items are in
/// work or done and not yet taken; completes when the stream has ended and all are emitted; fails
/// at once; cancels all that run.
/// **Complexity.** eager: needs a sink. One allocation, for `n` places.
/// **Example.** @snippet tests/stream/map_unordered_test.cpp map_unordered
template <class Fn>
[[nodiscard]] auto map_unordered(std::size_t n, Fn&& fn) {
  detail::check_closure<Fn>();
  return detail::concurrent_stage<detail::map_unordered_stream, std::decay_t<Fn>>(
      n, std::forward<Fn>(fn));
}

/// Calls `fn(item)` for each item, `n` at once.
///
/// **Shape.** calls of f, 3 ms long each, and the end: `abc|` for_each_concurrent(2, f) `ab-c--|`
/// **Parameters.** `n` - how many run at once, at least 1. `fn` - as for `for_each`.
/// **Result.** `result<>` of the pipeline.
/// **Errors.** those of the stream and of `fn`, as soon as they occur: the others are stopped and
/// waited for; `errc::invalid_option` for 0.
/// **Suspends.** until the stream has ended and all calls have.
/// **Cancellation.** stops all that run and the stream.
/// **Ordering.** emits its result when the stream has ended and all calls; backpressures while `n`
/// calls run; completes with the stream; fails with the stream or a call, at once; cancels the
/// stream and all calls.
/// **Complexity.** one allocation, for `n` places.
/// **Lifetime.** an item lives until what `fn` returned has ended.
/// **Example.** @snippet tests/stream/map_unordered_test.cpp for_each_concurrent
template <class Fn>
[[nodiscard]] auto for_each_concurrent(std::size_t n, Fn&& fn) {
  detail::check_closure<Fn>();
  return detail::each_concurrent_sink<std::decay_t<Fn>>(n, std::forward<Fn>(fn));
}

}  // namespace penstock
