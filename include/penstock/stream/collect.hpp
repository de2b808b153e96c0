// penstock/stream/collect.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The sink that keeps all items: for streams that are known to be short.

#include <penstock/stream/detail/pipeline.hpp>
#include <penstock/stream/stream.hpp>

#include <vector>

namespace penstock {
namespace detail {
template <class T>
class collector {
 public:
  using result_type = std::vector<T>;
  static constexpr bool is_sync = true;

  [[nodiscard]] static constexpr bool busy() noexcept { return false; }
  static constexpr pulled resume(pump&) noexcept { return pulled::item; }
  pulled push(pump&, std::optional<T>& item) {
    items_.push_back(*std::move(item));
    return pulled::item;
  }
  template <class Up>
  pulled drive(Up& up, pump& p, std::size_t& left) {
    return up.drive(p, left, [this](T&& item) {
      items_.push_back(std::move(item));
      return true;
    });
  }
  std::vector<T> take() { return std::move(items_); }

 private:
  std::vector<T> items_;
};
class collect_sink : public sink_base<collect_sink> {
 public:
  template <class T>
  collector<T> sink_for() && {
    return {};
  }
};
}  // namespace detail

/// All items, in order, as a vector. Unbounded: it is the word for "I know that there are few".
///
/// **Shape.** `-a-b-c-|` collect() `-------[abc]`
/// **Result.** `result<std::vector<T>>` of the pipeline.
/// **Errors.** those of the stream; what was collected is dropped.
/// **Suspends.** as the stream does.
/// **Cancellation.** stops the stream, waits for what it has begun, drops what was collected.
/// **Ordering.** emits its result when the stream has ended; backpressures never; completes and
/// fails with the stream; cancels the stream.
/// **Example.** @snippet tests/stream/collect_test.cpp collect
[[nodiscard]] inline detail::collect_sink collect() noexcept { return {}; }

}  // namespace penstock
