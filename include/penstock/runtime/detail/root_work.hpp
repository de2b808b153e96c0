// penstock/runtime/detail/root_work.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A root as what a loop runs, for who drives a loop by hand.

#include <penstock/core/root.hpp>
#include <penstock/runtime/event_loop.hpp>

namespace penstock::detail {

template <class A>
class root_work final : public loop_work {
 public:
  root_work(event_loop& l, A&& a) : root_(l, std::move(a)) {}
  void start() override { root_.start(); }
  bool over() const noexcept override { return root_.over(); }
  void request_stop(stop_reason why) noexcept override { root_.request_stop(why); }
  decltype(auto) outcome() { return root_.outcome(); }

 private:
  root<A> root_;
};

}  // namespace penstock::detail
