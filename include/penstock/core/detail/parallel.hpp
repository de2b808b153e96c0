// penstock/core/detail/parallel.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Several children at once under one stop: the common part of when_all and when_any.

#include <penstock/core/detail/scope.hpp>

#include <cstddef>
#include <tuple>
#include <vector>

namespace penstock::detail {

// The children of a scope: a tuple of different ones, or a vector of equal ones.
template <class Scope, class... A>
class child_tuple {
 public:
  explicit child_tuple(A&&... a) : children_(scope_child<A, Scope>(std::move(a))...) {}
  child_tuple(child_tuple&&) = default;

  static constexpr std::size_t size() noexcept { return sizeof...(A); }
  // fn(index, child) for each, in order, until it returns false.
  template <class Fn>
  void each(Fn&& fn) {
    each_at(fn, std::index_sequence_for<A...>());
  }
  template <std::size_t Index>
  auto& get() noexcept {
    return std::get<Index>(children_);
  }

 private:
  template <class Fn, std::size_t... Index>
  void each_at(Fn& fn, std::index_sequence<Index...>) {
    static_cast<void>((fn(Index, std::get<Index>(children_)) && ...));
  }
  std::tuple<scope_child<A, Scope>...> children_;
};

template <class Scope, class A>
class child_vector {
 public:
  template <class Range>
  explicit child_vector(Range&& range) {
    children_.reserve(std::size(range));
    for (auto& a : range) children_.emplace_back(awaiter_of(std::move(a)));
  }
  child_vector(child_vector&&) = default;

  [[nodiscard]] std::size_t size() const noexcept { return children_.size(); }
  template <class Fn>
  void each(Fn&& fn) {
    for (std::size_t i = 0; i < children_.size(); ++i) {
      if (!fn(i, children_[i])) return;
    }
  }
  auto& operator[](std::size_t i) noexcept { return children_[i]; }

 private:
  std::vector<scope_child<A, Scope>> children_;
};

// Starts all children, counts them out, then goes on. Derived: on_end(index) when a child ended.
template <class Derived>
class parallel_scope {
 public:
  template <class Children>
  suspension begin_all(Children& children, waiter& w) {
    up_ = &w;
    env_ = *w.env;
    env_.stop = &link_.own;
    link_.open(w);
    left_ = 1;  // for this function: no child can complete the scope meanwhile
    children.each([&](std::size_t i, auto& child) {
      if (enough_) return false;
      child.open(static_cast<Derived&>(*this), i, w, env_);
      ++left_;
      child.begin_posted();
      return true;
    });
    return unwind(one_ended());
  }
  step child_ended(std::size_t i) noexcept {
    static_cast<Derived&>(*this).on_end(i);
    return one_ended();
  }

 protected:
  explicit parallel_scope(const char* what) noexcept : link_(what) {}
  ~parallel_scope() = default;

  // Stops the children; none is begun any more.
  void stop_children(stop_reason why) noexcept {
    enough_ = true;
    link_.own.request_stop(why);
  }
  [[nodiscard]] bool outer_stop() const noexcept { return stop_requested(*up_); }

 private:
  step one_ended() noexcept {
    if (--left_ != 0) return {};
    link_.close();
    if (static_cast<Derived&>(*this).ends_stopped()) return {{}, up_, nullptr, true};
    return {{}, up_};
  }
  waiter* up_ = nullptr;
  environment env_;
  stop_link link_;
  std::size_t left_ = 0;
  bool enough_ = false;
};

}  // namespace penstock::detail
