// penstock/core/detail/callable.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a callable that makes a coroutine tells about it: whether the coroutine outlives what it
/// was made of.

#include <functional>
#include <type_traits>

namespace penstock::detail {

// g++ 12 destroys a closure temporary once too often when it is not trivially copyable.
template <class Fn>
constexpr void check_closure() {
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
  static_assert(
      std::is_lvalue_reference_v<Fn> || std::is_trivially_copyable_v<std::remove_cvref_t<Fn>>,
      "name this closure: g++ 12 miscompiles a capturing temporary inside co_await");
#endif
}
// The same with an aggregate.
template <class T>
constexpr void check_aggregate() {
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
  using plain = std::remove_cvref_t<T>;
  static_assert(std::is_lvalue_reference_v<T> || !std::is_aggregate_v<plain> ||
                    std::is_trivially_copyable_v<plain>,
                "name this object, or give its class a constructor: g++ 12 destroys an aggregate "
                "temporary inside co_await twice");
#endif
}

// The parameters of a callable, where it says them: not of a generic one.
template <class... T>
struct type_list {};
template <class R, class... P>
type_list<P...> parameters_of(R (*)(P...));
template <class R, class C, class... P>
type_list<P...> parameters_of(R (C::*)(P...));
template <class R, class C, class... P>
type_list<P...> parameters_of(R (C::*)(P...) &);
template <class R, class C, class... P>
type_list<P...> parameters_of(R (C::*)(P...) const);
template <class R, class C, class... P>
type_list<P...> parameters_of(R (C::*)(P...) const&);

template <class F>
concept says_parameters =
    (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) || requires {
  parameters_of(&F::operator());
};
template <says_parameters F>
constexpr auto parameters() {
  if constexpr (std::is_pointer_v<F>)
    return decltype(parameters_of(F()))();
  else
    return decltype(parameters_of(&F::operator()))();
}

// A parameter that takes the argument itself: one that is converted may refer to what it was made
// from, as a string_view does.
template <class P, class A>
inline constexpr bool takes_argument = std::is_same_v<std::remove_cv_t<P>, A> ||
                                       (std::is_arithmetic_v<P> && std::is_arithmetic_v<A>);
template <class... P, class... A>
constexpr bool take_arguments(type_list<P...>, type_list<A...>) {
  if constexpr (sizeof...(P) == sizeof...(A))
    return (takes_argument<P, A> && ...);
  else
    return false;
}
// Whether the coroutine made by calling F with A refers neither to F nor to them: then nothing has
// to be kept beside its frame.
template <class F, class... A>
constexpr bool is_self_contained() {
  if constexpr (says_parameters<F> && (std::is_pointer_v<F> || std::is_empty_v<F>))
    return take_arguments(parameters<F>(), type_list<A...>());
  else
    return false;
}
template <class F, class... A>
inline constexpr bool self_contained = is_self_contained<F, A...>();

// A reference parameter must refer to the kept argument, or to what a std::ref refers to: what else
// it could be bound to is a temporary, gone before the child runs.
template <class P, class A>
struct binds
    : std::bool_constant<!std::is_reference_v<P> || std::is_base_of_v<std::remove_cvref_t<P>, A> ||
                         std::is_same_v<std::remove_cvref_t<P>, A>> {};
template <class P, class T>
struct binds<P, std::reference_wrapper<T>>
    : std::bool_constant<!std::is_reference_v<P> || std::is_convertible_v<T&, P>> {};
template <class... P, class... A>
constexpr bool all_bind(type_list<P...>, type_list<A...>) {
  if constexpr (sizeof...(P) == sizeof...(A))
    return (binds<P, A>::value && ...);
  else
    return true;
}
template <class F, class... A>
constexpr void check_references() {
  if constexpr (says_parameters<F>) {
    static_assert(all_bind(parameters<F>(), type_list<A...>()),
                  "a reference parameter of this child would be bound to a temporary: give start() "
                  "an object of the parameter's type");
  }
}

// Of start(): whether it can be called, with what is kept. A sentence says why not.
template <class Fn, class... Args>
constexpr bool check_arguments() {
  constexpr bool kept = (std::is_constructible_v<std::decay_t<Args>, Args> && ...);
  constexpr bool called = std::is_invocable_v<std::decay_t<Fn>&, std::decay_t<Args>...>;
  static_assert(kept, "start() keeps its arguments: std::move() what cannot be copied");
  static_assert(called,
                "start() passes its arguments as values: std::ref(x) where the function "
                "takes a reference");
  return kept && called;
}

}  // namespace penstock::detail
