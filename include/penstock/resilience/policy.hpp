// penstock/resilience/policy.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a policy is, and how `a | b | c` puts several around one operation. To write one of your
/// own derive it from `policy_base`.

#include <penstock/core/task.hpp>
#include <penstock/resilience/idempotent.hpp>
#include <penstock/resilience/policy_operation.hpp>

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

namespace penstock {

template <class P>
class policy_base;

/// A policy that can be composed with others.
template <class P>
concept policy = std::derived_from<P, policy_base<P>> && std::copy_constructible<P>;

/// A policy around an operation `Op`: calling it gives an awaitable of the operation's result.
template <class P, class Op>
concept policy_for = requires(const P& p, Op op) {
  { p(std::move(op)) } -> awaitable;
};

namespace detail {
template <class Fn>
inline constexpr bool is_borrowed_operation = false;
template <class Fn>
inline constexpr bool is_borrowed_operation<std::reference_wrapper<Fn>> = true;

// The policy is a temporary: it lives in this frame.
template <class P, class Fn>
task<policy_result_t<Fn>> call_keeping(P policy, Fn fn) {
  co_return co_await std::as_const(policy).run(std::ref(fn));
}
}  // namespace detail

/// The base of policies, which makes them callable and composable.
///
/// **Parameters.** `P` - derives from `policy_base<P>` and has a template `run(fn) const`, which
/// gives an awaitable of `policy_result_t<Fn>`. `fn` is a `policy_operation`, and `run` keeps it
/// until that has ended. A policy that repeats has `static constexpr bool needs_idempotent = true`.
/// **Lifetime.** a policy outlives what its call returned; a temporary one is kept by it.
/// **Example.** @snippet tests/resilience/policy_test.cpp own_policy
template <class P>
class policy_base {
 public:
  static constexpr bool needs_idempotent = false;

  /// The operation under this policy: an awaitable of its result. It is decay-copied: `std::ref`
  /// opts out. On g++ 12 a temporary closure must be trivially copyable (`[&]` is): else name it.
  template <class Fn>
  requires policy_operation<std::decay_t<Fn>>
  [[nodiscard]] auto operator()(Fn&& fn) const& {
    check_marked<false>();
    detail::check_closure<Fn>();
    return self().run(std::decay_t<Fn>(std::forward<Fn>(fn)));
  }
  template <policy_operation Fn>
  [[nodiscard]] auto operator()(idempotent_operation<Fn> fn) const& {
    return self().run(std::move(fn).take());
  }
  template <class Fn>
  requires policy_operation<std::decay_t<Fn>>
  [[nodiscard]] auto operator()(Fn&& fn) && {
    check_marked<false>();
    detail::check_closure<Fn>();
    return detail::call_keeping<P, std::decay_t<Fn>>(std::move(static_cast<P&>(*this)),
                                                     std::forward<Fn>(fn));
  }
  template <policy_operation Fn>
  [[nodiscard]] auto operator()(idempotent_operation<Fn> fn) && {
    return detail::call_keeping<P, Fn>(std::move(static_cast<P&>(*this)), std::move(fn).take());
  }

 private:
  template <bool Marked>
  static constexpr void check_marked() {
    static_assert(Marked || !P::needs_idempotent,
                  "this policy repeats what is marked: idempotent(fn), or the option .repeat = "
                  "unsafe");
  }
  const P& self() const noexcept { return static_cast<const P&>(*this); }
};

namespace detail {
// An operation under the inner policies, as the operation of the outer one.
template <class Inner, class Fn>
class operation_under {
 public:
  operation_under(const Inner& inner, Fn fn) : inner_(&inner), fn_(std::move(fn)) {}
  auto operator()() { return inner_->run(std::ref(fn_)); }

 private:
  const Inner* inner_;
  Fn fn_;
};
template <class Inner, class Fn>
class operation_under<Inner, std::reference_wrapper<Fn>> {
 public:
  operation_under(const Inner& inner, std::reference_wrapper<Fn> fn) : inner_(&inner), fn_(fn) {}
  auto operator()() { return inner_->run(fn_); }

 private:
  const Inner* inner_;
  std::reference_wrapper<Fn> fn_;
};
}  // namespace detail

/// Two policies as one: `Outer` around `Inner` around the operation.
template <policy Outer, policy Inner>
class composed_policy : public policy_base<composed_policy<Outer, Inner>> {
 public:
  static constexpr bool needs_idempotent = Outer::needs_idempotent || Inner::needs_idempotent;

  composed_policy(Outer outer, Inner inner) : outer_(std::move(outer)), inner_(std::move(inner)) {}

  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return outer_.run(detail::operation_under<Inner, Fn>(inner_, std::move(fn)));
  }

 private:
  Outer outer_;
  Inner inner_;
};

/// `outer | inner`: in the direction of the request, outermost first.
///
/// **Shape.** request -> outer -> inner -> operation -> inner -> outer -> result.
/// **Complexity.** no allocation, no type erasure: a type of its own.
/// **Example.** @snippet tests/resilience/policy_test.cpp composed
template <class Outer, class Inner>
requires policy<std::decay_t<Outer>> && policy<std::decay_t<Inner>>
[[nodiscard]] auto operator|(Outer&& outer, Inner&& inner) {
  return composed_policy<std::decay_t<Outer>, std::decay_t<Inner>>(std::forward<Outer>(outer),
                                                                   std::forward<Inner>(inner));
}

}  // namespace penstock
