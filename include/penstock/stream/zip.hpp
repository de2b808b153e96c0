// penstock/stream/zip.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One item of each of several streams together. As they come: merge.hpp; each with the newest of
/// the others: combine_latest.hpp.

#include <penstock/stream/detail/branches.hpp>

#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>

namespace penstock {
namespace detail {
// Latest: an item stays, and goes with each newer one of the others.
template <bool Latest, class Indices, class... Up>
class together_stream;
template <bool Latest, std::size_t... Index, class... Up>
class together_stream<Latest, std::index_sequence<Index...>, Up...>
    : public eager_stream<together_stream<Latest, std::index_sequence<Index...>, Up...>,
                          std::tuple<typename Up::value_type...>> {
  using T = std::tuple<typename Up::value_type...>;
  using base = eager_stream<together_stream, T>;
  friend base;
  template <class, class, class>
  friend class branch;

 public:
  explicit together_stream(Up&&... up) : all_(std::move(up)...) {}

  void open(flow& f) {
    this->open_stage(f);
    all_.open(*this, f);
  }

 private:
  template <class U, std::size_t Nth>
  bool wants(branch<together_stream, U, branch_tag<Nth>>&) noexcept {
    if constexpr (Latest) {
      if (!all_hold()) return true;  // a newer one takes its place: there is no tuple yet
    }
    return !fresh_[Nth];
  }
  [[nodiscard]] bool all_hold() noexcept { return (all_.template held<Index>() && ...); }
  template <class U, std::size_t Nth>
  void put(branch<together_stream, U, branch_tag<Nth>>&, typename U::value_type&& item) {
    all_.template held<Nth>().emplace(std::move(item));
    fresh_[Nth] = true;
  }
  void fill() { all_.fill(); }
  bool take(std::optional<T>& out) {
    if (!all_hold()) return false;
    if constexpr (Latest) {
      if (!(fresh_[Index] || ...)) return false;
      out.emplace(std::as_const(*all_.template held<Index>())...);
    } else {
      out.emplace(*std::move(all_.template held<Index>())...);
      (all_.template held<Index>().reset(), ...);
    }
    ((fresh_[Index] = false), ...);
    return true;
  }
  [[nodiscard]] bool finished() noexcept {
    if constexpr (Latest) {
      // One that has ended without an item: there will be no tuple.
      return (all_.template ended<Index>() && ...) ||
             ((all_.template ended<Index>() && !all_.template held<Index>()) || ...);
    } else {
      return ((all_.template ended<Index>() && !all_.template held<Index>()) || ...);
    }
  }

  branches<together_stream, std::index_sequence<Index...>, Up...> all_;
  bool fresh_[sizeof...(Up)] = {};  // not emitted yet
};
template <bool Latest, class... Streams>
auto together(Streams&&... streams) {
  (check_aggregate<Streams>(), ...);
  return together_stream<Latest, std::index_sequence_for<Streams...>, pullable_t<Streams>...>(
      pullable_of(std::forward<Streams>(streams))...);
}
}  // namespace detail

/// Tuples of one item of each stream.
///
/// **Shape.** zip(`-a--b-c-|`, `--1-2-|`) `--[a1]-[b2]-|`; zip(`-a-b-`, `--#`) `--#`
/// **Parameters.** `streams` - as on the left of a `|`: what is an lvalue is used where it is.
/// **Errors.** those of the streams: the first ends all.
/// **Ordering.** emits when each stream has an item, the first ones together, then the second ones;
/// backpressures with one item of each; completes when a stream has ended whose items are used up:
/// what the others have pulled then is dropped; fails with the first that fails; cancels them.
/// **Complexity.** eager: needs a sink. No allocation.
/// **Example.** @snippet tests/stream/merge_test.cpp zip
template <stream... Streams>
requires(sizeof...(Streams) > 0) [[nodiscard]] auto zip(Streams&&... streams) {
  return detail::together<false>(std::forward<Streams>(streams)...);
}

}  // namespace penstock
