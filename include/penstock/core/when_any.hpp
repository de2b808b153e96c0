// penstock/core/when_any.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A race: the first to complete wins, the others are stopped and waited for, nothing is lost. To
/// bound something by time use with_timeout.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/core/detail/parallel.hpp>

#include <optional>
#include <variant>

namespace penstock {

/// Who won a `when_any`, with what, and what losers yielded that had completed anyway.
template <class Value, class Losers>
struct any_result {
  std::size_t index;  ///< the winner's place, from 0
  Value value;        ///< its result; a `std::variant` when the types differ
  Losers losers;      ///< by place: results of losers that completed before their stop came
};

namespace detail {
template <class First, class... Rest>
struct any_value {
  using type =
      std::conditional_t<(std::is_same_v<First, Rest> && ...), First, std::variant<First, Rest...>>;
};
inline constexpr std::size_t no_winner = static_cast<std::size_t>(-1);

template <class Derived>
class any_scope : public parallel_scope<Derived> {
 protected:
  any_scope() noexcept : parallel_scope<Derived>("when_any") {}
  template <class Child>
  void ended(const Child& child, std::size_t i) noexcept {
    if (child.end() != child_end::completed || winner_ != no_winner) return;
    winner_ = i;
    this->stop_children(stop_reason::race_lost);
  }
  std::size_t winner_ = no_winner;

 private:
  friend parallel_scope<Derived>;
  bool ends_stopped() const noexcept { return winner_ == no_winner; }
};

template <class... A>
class when_any_awaiter : public leaf<when_any_awaiter<A...>>, any_scope<when_any_awaiter<A...>> {
  using value_type = typename any_value<stored<resume_t<A>>...>::type;
  using losers_type = std::tuple<std::optional<stored<resume_t<A>>>...>;
  using out = any_result<value_type, losers_type>;
  friend parallel_scope<when_any_awaiter>;
  template <class, class>
  friend class scope_child;

 public:
  explicit when_any_awaiter(A&&... a) : children_(std::move(a)...) {}
  when_any_awaiter(when_any_awaiter&& o)
      : leaf<when_any_awaiter>(),
        any_scope<when_any_awaiter>(),
        children_(std::move(o.children_)) {}

  suspension start(waiter& w) { return this->begin_all(children_, w); }
  out await_resume() {
    std::optional<value_type> value;
    losers_type losers;
    [&]<std::size_t... I>(std::index_sequence<I...>) { (collect<I>(value, losers), ...); }
    (std::index_sequence_for<A...>());
    return out{this->winner_, std::move(*value), std::move(losers)};
  }

 private:
  void on_end(std::size_t i) noexcept {
    children_.each([&](std::size_t k, auto& child) {
      if (k == i) this->ended(child, i);
      return k != i;
    });
  }
  template <std::size_t I>
  void collect(std::optional<value_type>& value, losers_type& losers) {
    auto& child = children_.template get<I>();
    if (child.end() != child_end::completed) return;
    if (I != this->winner_) {
      std::get<I>(losers).emplace(resume_stored(child.awaiter()));
    } else if constexpr (is_variant) {
      value.emplace(std::in_place_index<I>, resume_stored(child.awaiter()));
    } else {
      value.emplace(resume_stored(child.awaiter()));
    }
  }
  static constexpr bool is_variant =
      sizeof...(A) > 1 &&
      !std::is_same_v<value_type, std::tuple_element_t<0, std::tuple<stored<resume_t<A>>...>>>;
  child_tuple<when_any_awaiter, A...> children_;
};

template <class A>
class when_any_range_awaiter : public leaf<when_any_range_awaiter<A>>,
                               any_scope<when_any_range_awaiter<A>> {
  using value_type = stored<resume_t<A>>;
  using out = any_result<value_type, std::vector<std::optional<value_type>>>;
  friend parallel_scope<when_any_range_awaiter>;
  template <class, class>
  friend class scope_child;

 public:
  template <class Range>
  explicit when_any_range_awaiter(std::in_place_t, Range&& range)
      : children_(std::forward<Range>(range)) {
    PENSTOCK_ASSERT(children_.size() > 0, "when_any of an empty range never completes");
  }
  when_any_range_awaiter(when_any_range_awaiter&& o)
      : leaf<when_any_range_awaiter>(),
        any_scope<when_any_range_awaiter>(),
        children_(std::move(o.children_)) {}

  suspension start(waiter& w) { return this->begin_all(children_, w); }
  out await_resume() {
    std::optional<value_type> value;
    std::vector<std::optional<value_type>> losers(children_.size());
    children_.each([&](std::size_t i, auto& child) {
      if (child.end() != child_end::completed) return true;
      if (i == this->winner_)
        value.emplace(resume_stored(child.awaiter()));
      else
        losers[i].emplace(resume_stored(child.awaiter()));
      return true;
    });
    return out{this->winner_, std::move(*value), std::move(losers)};
  }

 private:
  void on_end(std::size_t i) noexcept { this->ended(children_[i], i); }
  child_vector<when_any_range_awaiter, A> children_;
};
}  // namespace detail

/// Awaits all of `a...` and gives the first to complete; the others are stopped and waited for.
///
/// **Shape.** started in order; when one completes at once, those after it are not started.
/// **Result.** `any_result {index, value, losers}`: `value` is the common type, or a `std::variant`
/// with the winner's index; `losers` a tuple of optionals. `void` is `std::monostate`.
/// **Errors.** a winner's error is its `value`. An exception of any that completed is rethrown.
/// **Suspends.** until all have ended.
/// **Cancellation.** the losers' stop has the reason `race_lost`; a loser that had completed by
/// then loses nothing: its result is in `losers`. A stop from outside ends all.
/// **Complexity.** no allocation; the range form allocates its children once.
template <awaitable... A>
requires(sizeof...(A) > 0) [[nodiscard]] auto when_any(A&&... a) {
  return detail::when_any_awaiter<detail::awaiter_t<A>...>(
      detail::awaiter_of(std::forward<A>(a))...);
}
/// The same for a vector of equal awaitables, which must not be empty; `losers` is a vector.
template <awaitable A>
[[nodiscard]] auto when_any(std::vector<A> all) {
  return detail::when_any_range_awaiter<detail::awaiter_t<A>>(std::in_place, std::move(all));
}

}  // namespace penstock
