// penstock/stream/buffered.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Lets a stream run ahead of its consumer, by so many items or bytes, and says what happens when
/// it is further ahead. Only the newest item: conflate.hpp; items together: chunk.hpp.

#include <penstock/stream/detail/eager.hpp>
#include <penstock/stream/detail/item_queue.hpp>

#include <concepts>
#include <cstddef>
#include <utility>

namespace penstock {

/// What `buffered` does with an item for which there is no room.
enum class overflow : unsigned char {
  backpressure,  ///< it is not asked for: nothing is lost
  drop_oldest,   ///< what waits longest goes
  drop_newest,   ///< what came last goes, and this item takes its place
  drop_new,      ///< this item goes
  drop_all,      ///< all that wait go
  fail,          ///< the stream fails with `errc::overloaded`
};

namespace detail {
struct weigh_one {
  template <class T>
  static std::size_t of(const T&) noexcept {
    return 1;
  }
};
struct weigh_bytes {
  template <class T>
  static std::size_t of(const T& item) noexcept {
    return item.size();
  }
};

template <class Up, class Weight>
class buffered_stream : public eager_stream<buffered_stream<Up, Weight>, typename Up::value_type> {
  using base = eager_stream<buffered_stream, typename Up::value_type>;
  using T = typename Up::value_type;
  using source = branch<buffered_stream, Up>;
  friend base;
  friend source;

 public:
  buffered_stream(Up&& up, std::size_t most, overflow what)
      : up_(std::move(up)), most_(most), overflow_(what) {}

  void open(flow& f) {
    this->open_stage(f);
    up_.open(*this, f);
    if (most_ == 0) f.fail(error(errc::invalid_option).with("buffered", "capacity 0"));
    if constexpr (std::is_same_v<Weight, weigh_one>) items_.reserve(most_);
  }

 private:
  bool wants(source&) const noexcept {
    return overflow_ != overflow::backpressure || used_ < most_;
  }
  void put(source&, T&& item) {
    const std::size_t weight = Weight::of(item);
    const auto full = [&] { return !items_.empty() && used_ + weight > most_; };
    if (full()) {
      switch (overflow_) {
        case overflow::backpressure:  // the last one may go beyond the limit of bytes
          break;
        case overflow::drop_oldest:
          for (; full(); items_.drop_oldest()) used_ -= Weight::of(items_.oldest());
          break;
        case overflow::drop_newest:
          for (; full(); items_.drop_newest()) used_ -= Weight::of(items_.newest());
          break;
        case overflow::drop_new:
          return;
        case overflow::drop_all:
          items_.clear();
          used_ = 0;
          break;
        case overflow::fail:
          return this->of().fail(error(errc::overloaded).with("buffered", "the buffer is full"));
      }
    }
    items_.push(std::move(item));
    used_ += weight;
  }
  void fill() { up_.fill(); }
  bool take(std::optional<T>& out) {
    if (!items_.pop(out)) return false;
    used_ -= Weight::of(*out);
    return true;
  }
  [[nodiscard]] bool finished() const noexcept { return up_.ended(); }

  source up_;
  std::size_t most_;
  overflow overflow_;
  item_queue<T> items_;
  std::size_t used_ = 0;  // weight of items_
};
template <class Weight>
class buffered_stage : public stream_stage {
 public:
  buffered_stage(std::size_t most, overflow what) noexcept : most_(most), overflow_(what) {}
  template <class Up>
  auto over(Up&& up) const {
    return buffered_stream<Up, Weight>(std::move(up), most_, overflow_);
  }

 private:
  std::size_t most_;
  overflow overflow_;
};
}  // namespace detail

/// Works ahead of the consumer by up to `n` items.
///
/// **Shape.** with a consumer that is busy for 9 ms: `x12345---|` buffered(3, drop_oldest)
/// `x--------3--------4--------5--------|`; `x12345---|` buffered(3, fail) `x---#`
/// **Parameters.** `n` - items, at least 1. `what` - with an item for which there is no room.
/// **Errors.** `errc::invalid_option` for 0; `errc::overloaded` with `overflow::fail`.
/// **Ordering.** emits what is there, in order; backpressures when it is full with
/// `overflow::backpressure`, else never; completes when the stream has ended and all is emitted;
/// fails with the stream at once; cancels the stream, and what waits here is dropped.
/// **Complexity.** eager: needs a sink. One allocation, for `n` items.
/// **Example.** @snippet tests/stream/buffered_test.cpp buffered
[[nodiscard]] inline auto buffered(std::size_t n, overflow what = overflow::backpressure) noexcept {
  return detail::buffered_stage<detail::weigh_one>(n, what);
}
/// Works ahead of the consumer by up to `n` bytes of items that have a `size()`.
///
/// **Shape.** items of two bytes, with a consumer that is busy for 9 ms: `x123-|` buffered_bytes(4,
/// drop_oldest) `[xx]--------[22]--------[33]--------|`
/// **Parameters.** `n` - bytes, at least 1; with `overflow::backpressure` the last item may go
/// beyond it, and an item that is larger than `n` is alone in any case. `what` - as there.
/// **Errors.** as `buffered`.
/// **Ordering.** emits, backpressures, completes, fails and cancels as `buffered`.
/// **Complexity.** as `buffered`; grows to the most items that it has held.
/// **Example.** @snippet tests/stream/buffered_test.cpp bytes
[[nodiscard]] inline auto buffered_bytes(std::size_t n,
                                         overflow what = overflow::backpressure) noexcept {
  return detail::buffered_stage<detail::weigh_bytes>(n, what);
}

}  // namespace penstock
