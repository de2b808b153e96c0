// penstock/stream/detail/branches.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Several streams pulled side by side, one item of each held: what merge(), zip() and
/// combine_latest() have in common.

#include <penstock/stream/detail/eager.hpp>

#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>

namespace penstock::detail {

template <std::size_t Index>
struct branch_tag {};

template <class Stage, class Indices, class... Up>
class branches;
template <class Stage, std::size_t... Index, class... Up>
class branches<Stage, std::index_sequence<Index...>, Up...> {
 public:
  explicit branches(Up&&... up) : all_(std::move(up)...) {}

  void open(Stage& s, flow& f) { (std::get<Index>(all_).open(s, f), ...); }
  void fill() { (std::get<Index>(all_).fill(), ...); }
  // What the branch holds: std::optional<T>.
  template <std::size_t Nth>
  auto& held() noexcept {
    return std::get<Nth>(held_);
  }
  template <std::size_t Nth>
  auto& held_by(const branch<Stage, std::tuple_element_t<Nth, std::tuple<Up...>>,
                             branch_tag<Nth>>&) noexcept {
    return std::get<Nth>(held_);
  }
  template <std::size_t Nth>
  [[nodiscard]] bool ended() const noexcept {
    return std::get<Nth>(all_).ended();
  }
  // Each in turn, beginning with `first`, until fn(index) says true.
  template <class Fn>
  bool find(std::size_t first, Fn fn) {
    const auto from = [&](bool before) {
      return ((((Index < first) == before) && fn(std::integral_constant<std::size_t, Index>())) ||
              ...);
    };
    return from(false) || from(true);
  }

 private:
  std::tuple<branch<Stage, Up, branch_tag<Index>>...> all_;
  std::tuple<std::optional<typename Up::value_type>...> held_;
};

}  // namespace penstock::detail
