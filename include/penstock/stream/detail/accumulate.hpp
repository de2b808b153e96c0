// penstock/stream/detail/accumulate.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What scan() and fold() have in common: a value, and the function that takes an item into it.

#include <penstock/stream/detail/stage_call.hpp>

#include <functional>
#include <utility>

namespace penstock::detail {

// The value goes into the function as an rvalue and comes back as its result. `spare` keeps it when
// the function fails, by an error too: then it is what it was moved to.
template <class T, class Acc, class F>
class accumulator {
  using call = stage_call<F, Acc, T>;

 public:
  static constexpr bool is_async = call::is_async;
  static_assert(std::is_convertible_v<typename call::value, Acc>,
                "the function of scan() and fold() returns the next value");

  accumulator(Acc&& first, F&& fn) : value_(std::move(first)), fn_(std::move(fn)) {}

  auto operator()(T&& item) { return std::invoke(fn_, std::move(value_), std::move(item)); }
  void set(typename call::value&& next) { value_ = std::move(next); }
  Acc& value() noexcept { return value_; }
  // The loop of a stream that never waits; then(value) is told of each.
  template <class Up, class Then>
  pulled drive(Up& up, pump& p, std::size_t& left, Then then) requires(!is_async) {
    struct local {  // in a register, and back when it ends, by an exception too
      accumulator& of;
      Acc value;
      ~local() { of.value_ = std::move(value); }
    } now{*this, std::move(value_)};
    return up.drive(p, left, [&](T&& item) {
      bool more = true;
      const auto use = [&](auto&& next) {
        now.value = std::forward<decltype(next)>(next);
        more = then(std::as_const(now.value));
      };
      return call_now(p.of(), use, fn_, std::move(now.value), std::move(item)) && more;
    });
  }

 private:
  Acc value_;
  F fn_;
};

}  // namespace penstock::detail
