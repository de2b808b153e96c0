// penstock/stream/take.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Ends a stream after so many items. With the first that does not fit: take_while.hpp.

#include <penstock/stream/detail/early_end.hpp>
#include <penstock/stream/stream.hpp>

#include <cstddef>

namespace penstock {
namespace detail {
template <class Up>
class take_stream : public stream_interface<take_stream<Up>> {
 public:
  using value_type = typename Up::value_type;
  static constexpr bool is_eager = Up::is_eager;
  static constexpr bool is_sync = Up::is_sync;

  take_stream(Up&& up, std::size_t n) : up_(std::move(up)), left_(n) {}

  void open(flow& f) { up_.open(f); }
  [[nodiscard]] bool at_end() const noexcept { return left_ == 0; }
  pulled pull(pump& p, std::optional<value_type>& out) {
    if (left_ == 0) return pulled::end;
    const pulled s = up_.pull(p, out);
    if (s == pulled::item) --left_;
    return s;
  }
  template <class Push>
  pulled drive(pump& p, std::size_t& left, Push push) {
    if (left_ == 0) return pulled::end;
    const pulled s = up_.drive(p, left, [&](value_type&& item) {
      --left_;
      return push(std::move(item)) && left_ != 0;
    });
    return left_ == 0 && !p.of().is_cut() ? pulled::end : s;
  }

 private:
  Up up_;
  std::size_t left_;
};
class take_stage : public stream_stage {
 public:
  explicit take_stage(std::size_t n) noexcept : n_(n) {}
  template <class Up>
  auto over(Up&& up) const {
    return ends_early(take_stream<Up>(std::move(up), n_));
  }

 private:
  std::size_t n_;
};
}  // namespace detail

/// The first `n` items.
///
/// **Shape.** `-1-2-3-4-|` take(2) `-1-(2|)`
/// **Parameters.** `n` - items, count; 0: none, and the stream is not asked at all.
/// **Errors.** none of its own.
/// **Ordering.** emits and backpressures with the stream; completes with the item `n`, after which
/// the stream is asked for no more, or with the stream; fails with the stream; cancels the stream.
/// What eager stages before it have in flight is stopped with the item `n`, and waited for before
/// the end.
/// **Complexity.** fused with its neighbours; no allocation.
/// **Example.** @snippet tests/stream/take_test.cpp take
[[nodiscard]] inline auto take(std::size_t n) noexcept { return detail::take_stage(n); }

}  // namespace penstock
