// penstock/stream/map_concurrent.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Works on several items at once and keeps their order. One at a time: map.hpp.

#include <penstock/base/taken.hpp>
#include <penstock/stream/detail/stage_call.hpp>
#include <penstock/stream/stream.hpp>

#include <cstddef>
#include <memory>

namespace penstock {
namespace detail {
// Eager: it pulls what is upstream by itself, as long as a place of the ring is free; the consumer
// takes from the ring. A place is used from the moment its item was pulled until its result is
// taken.
template <class Up, class F>
class map_concurrent_stream : public stream_interface<map_concurrent_stream<Up, F>>, pump {
  using input = typename Up::value_type;
  using call = stage_call<F, input>;

 public:
  using value_type = typename call::value;
  static constexpr bool is_eager = true;
  static_assert(!std::is_void_v<value_type>,
                "map_concurrent() needs a function that returns "
                "something");

  map_concurrent_stream(Up&& up, F&& fn, std::size_t n)
      : up_(std::move(up)), fn_(std::move(fn)), size_(n) {}
  map_concurrent_stream(map_concurrent_stream&& o)
      : stream_interface<map_concurrent_stream>(),
        pump(),
        up_(std::move(o.up_)),
        fn_(std::move(o.fn_)),
        size_(o.size_) {}

  void open(flow& f) {
    up_.open(f);
    attach(f);
    if (size_ == 0) {
      f.fail(error(errc::invalid_option).with("map_concurrent", "concurrency 0"));
      return;
    }
    ring_ = std::make_unique<place[]>(size_);
    for (std::size_t i = 0; i < size_; ++i) ring_[i].join(*this, f);
  }
  pulled pull(pump& p, std::optional<value_type>& out) {
    if (of().is_cut()) return pulled::cut;
    if (used_ == 0) fill();
    if (used_ != 0 && ring_[head_].output) {
      out.emplace(std::move(*ring_[head_].output));
      ring_[head_].output.reset();
      head_ = head_ + 1 == size_ ? 0 : head_ + 1;
      --used_;
      fill();
      return pulled::item;
    }
    if (of().is_cut()) return pulled::cut;
    if (used_ == 0 && up_ended_) return pulled::end;
    consumer_ = &p;
    return pulled::wait;
  }

 private:
  // One place of the ring: an item in work, or its result.
  struct place final : pump {
    void join(map_concurrent_stream& s, flow& f) noexcept {
      stage = &s;
      this->attach(f);
    }
    // The item is there.
    void begin(F& fn) {
      if constexpr (call::is_async) {
        work.begin(fn);
        const pulled s = work.advance(*this);
        this->post_handle();
        if (s == pulled::item) finish();
      } else {
        call_now(this->of(), keep(), fn, *std::move(work));
        work.reset();
      }
    }
    step wake() noexcept override {
      if constexpr (call::is_async) {
        try {
          finish();
        } catch (...) {
          this->of().fail(std::current_exception());
        }
      }
      return stage->one_is_over();
    }
    void finish() { work.finish(this->of(), keep()); }
    auto keep() noexcept {
      return [this](auto&& v) { output.emplace(std::forward<decltype(v)>(v)); };
    }
    std::optional<input>& item() noexcept {
      if constexpr (call::is_async)
        return work.item();
      else
        return work;
    }

    map_concurrent_stream* stage = nullptr;
    std::optional<value_type> output;
    std::conditional_t<call::is_async, item_call<F, input>, std::optional<input>> work;
  };

  void fill() {
    while (!up_ended_ && !up_waits_ && used_ < size_ && !of().is_cut()) {
      place& next = ring_[(head_ + used_) % size_];
      switch (up_.pull(*this, next.item())) {
        case pulled::item:
          ++used_;
          next.begin(fn_);
          break;
        case pulled::end:
          up_ended_ = true;
          break;
        case pulled::wait:
          up_waits_ = true;
          post_handle();
          break;
        case pulled::cut:
          return;
      }
    }
  }
  // What is upstream has an item, or its end.
  step wake() noexcept override {
    up_waits_ = false;
    try {
      fill();
    } catch (...) {
      of().fail(std::current_exception());
    }
    return one_is_over();
  }
  step one_is_over() noexcept {
    if (of().is_cut()) return of().settle();
    const bool news = used_ != 0 ? ring_[head_].output.has_value() : up_ended_;
    if (consumer_ && news) return detail::taken(consumer_)->wake();
    return {};
  }

  Up up_;
  F fn_;
  std::size_t size_;
  std::size_t head_ = 0;
  std::size_t used_ = 0;
  bool up_ended_ = false;
  bool up_waits_ = false;
  pump* consumer_ = nullptr;
  std::unique_ptr<place[]> ring_;
};

template <class F>
class map_concurrent_stage : public stream_stage {
 public:
  map_concurrent_stage(std::size_t n, F fn) : n_(n), fn_(std::move(fn)) {}
  template <class Up>
  requires std::invocable<F&, typename Up::value_type>
  auto over(Up&& up) && { return map_concurrent_stream<Up, F>(std::move(up), std::move(fn_), n_); }

 private:
  std::size_t n_;
  F fn_;
};
}  // namespace detail

/// Each item as `fn(item)`, `n` at once, in the order of the items.
///
/// **Shape.** `-1-2-3-|` with a slow fn(1): `-----(123)|`
/// **Parameters.** `n` - how many items are in work or done and not yet taken, at least 1; `fn` -
/// as for `map`; to use more than this loop's thread let it return `offload(...)`.
/// **Errors.** an error or exception of `fn`, as soon as it occurs: the others are stopped and
/// waited for. `errc::invalid_option` for n = 0.
/// **Ordering.** emits when the oldest item is done; backpressures when n items are in work or
/// wait to be taken; completes when all are taken; fails at once; cancels all calls in flight.
/// Eager: the calls go on while the consumer is busy.
/// **Complexity.** one allocation for the n places; none per item.
/// **Lifetime.** as for `map`. It needs a sink: the pipeline is the scope of the calls.
template <class Fn>
[[nodiscard]] auto map_concurrent(std::size_t n, Fn&& fn) {
  detail::check_closure<Fn>();
  return detail::map_concurrent_stage<std::decay_t<Fn>>(n, std::forward<Fn>(fn));
}

}  // namespace penstock
