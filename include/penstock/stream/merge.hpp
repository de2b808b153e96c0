// penstock/stream/merge.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Items of several streams as they come. One stream after the other: concat.hpp; one item of each
/// together: zip.hpp.

#include <penstock/stream/detail/branches.hpp>

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
template <class First, class... Rest>
class merge_stream : public eager_stream<merge_stream<First, Rest...>, typename First::value_type> {
  using T = typename First::value_type;
  using base = eager_stream<merge_stream, T>;
  static_assert((std::is_same_v<T, typename Rest::value_type> && ...),
                "merge() takes streams of one type of items: map() them to a std::variant");
  static constexpr std::size_t count = 1 + sizeof...(Rest);
  friend base;
  template <class, class, class>
  friend class branch;

 public:
  explicit merge_stream(First&& first, Rest&&... rest)
      : all_(std::move(first), std::move(rest)...) {}

  void open(flow& f) {
    this->open_stage(f);
    all_.open(*this, f);
  }

 private:
  template <class Up, std::size_t Nth>
  bool wants(branch<merge_stream, Up, branch_tag<Nth>>&) noexcept {
    return !all_.template held<Nth>();
  }
  template <class Up, std::size_t Nth>
  void put(branch<merge_stream, Up, branch_tag<Nth>>&, T&& item) {
    all_.template held<Nth>().emplace(std::move(item));
  }
  void fill() { all_.fill(); }
  bool take(std::optional<T>& out) {
    return all_.find(next_, [&](auto index) {
      auto& held = all_.template held<index()>();
      if (!held) return false;
      out = std::exchange(held, std::nullopt);
      next_ = index() + 1 == count ? 0 : index() + 1;
      return true;
    });
  }
  [[nodiscard]] bool finished() {
    return !all_.find(0, [&](auto index) { return !all_.template ended<index()>(); });
  }

  branches<merge_stream, std::make_index_sequence<count>, First, Rest...> all_;
  std::size_t next_ = 0;  // the branch that is looked at first
};
}  // namespace detail

/// The items of all streams, as they come.
///
/// **Shape.** merge(`-a---b--|`, `--1-2--3-|`) `-a1-2b-3-|`; merge(`-a---`, `---#`) `-a-#`
/// **Parameters.** `streams` - of one type of items; as on the left of a `|`: what is an lvalue is
/// used where it is.
/// **Errors.** those of the streams: the first ends all.
/// **Ordering.** emits when a stream has an item: each stream in its order, and one item of each in
/// turn where several have one, so that none starves; backpressures when one item of each waits;
/// completes when all have ended; fails with the first that fails, and stops the others; cancels
/// them.
/// **Complexity.** eager: needs a sink. O(streams) for an item; no allocation.
/// **Example.** @snippet tests/stream/merge_test.cpp merge
template <stream... Streams>
requires(sizeof...(Streams) > 0) [[nodiscard]] auto merge(Streams&&... streams) {
  (detail::check_aggregate<Streams>(), ...);
  return detail::merge_stream<detail::pullable_t<Streams>...>(
      detail::pullable_of(std::forward<Streams>(streams))...);
}

}  // namespace penstock
