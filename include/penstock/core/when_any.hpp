// penstock/core/when_any.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A race: the first to complete wins, the others are stopped and waited for, nothing is lost. To
/// bound something by time use with_timeout.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/core/detail/parallel.hpp>

#include <exception>
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

// Keeps the children's results as they end.
template <class Derived>
class any_scope : public parallel_scope<Derived> {
 protected:
  any_scope() noexcept : parallel_scope<Derived>("when_any") {}
  // Takes child's result into `slot`.
  template <class Child, class Slot>
  void take(Child& child, Slot& slot, std::size_t i) noexcept {
    if (child.end() != child_end::completed) return;
    try {
      slot.emplace(resume_stored(child.awaiter()));
    } catch (...) {
      if (!thrown_) thrown_ = std::current_exception();
    }
    if (winner_ != no_winner) return;
    winner_ = i;
    this->stop_children(stop_reason::race_lost);
  }
  void rethrow() {
    if (thrown_) std::rethrow_exception(thrown_);
  }
  std::size_t winner_ = no_winner;

 private:
  friend parallel_scope<Derived>;
  bool ends_stopped() const noexcept { return winner_ == no_winner; }
  std::exception_ptr thrown_;  // the first, by time
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
    this->rethrow();
    std::optional<value_type> value;
    [&]<std::size_t... Index>(std::index_sequence<Index...>) { (choose<Index>(value), ...); }
    (std::index_sequence_for<A...>());
    return out{this->winner_, std::move(*value), std::move(slots_)};
  }

 private:
  void on_end(std::size_t i) noexcept { on_end_at(i, std::index_sequence_for<A...>()); }
  template <std::size_t... Index>
  void on_end_at(std::size_t i, std::index_sequence<Index...>) noexcept {
    ((Index == i ? this->take(children_.template get<Index>(), std::get<Index>(slots_), i)
                 : void()),
     ...);
  }
  template <std::size_t Index>
  void choose(std::optional<value_type>& value) {
    auto& slot = std::get<Index>(slots_);
    if (Index != this->winner_) return;
    if constexpr (is_variant)
      value.emplace(std::in_place_index<Index>, std::move(*slot));
    else
      value.emplace(std::move(*slot));
    slot.reset();
  }
  static constexpr bool is_variant =
      sizeof...(A) > 1 &&
      !std::is_same_v<value_type, std::tuple_element_t<0, std::tuple<stored<resume_t<A>>...>>>;
  child_tuple<when_any_awaiter, A...> children_;
  losers_type slots_;  // with the winner's
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
      : children_(std::forward<Range>(range)), slots_(children_.size()) {
    PENSTOCK_ASSERT(children_.size() > 0, "when_any of an empty range never completes");
  }
  when_any_range_awaiter(when_any_range_awaiter&& o)
      : leaf<when_any_range_awaiter>(),
        any_scope<when_any_range_awaiter>(),
        children_(std::move(o.children_)),
        slots_(std::move(o.slots_)) {}

  suspension start(waiter& w) { return this->begin_all(children_, w); }
  out await_resume() {
    this->rethrow();
    auto& slot = slots_[this->winner_];
    value_type value = *std::move(slot);
    slot.reset();
    return out{this->winner_, std::move(value), std::move(slots_)};
  }

 private:
  void on_end(std::size_t i) noexcept { this->take(children_[i], slots_[i], i); }
  child_vector<when_any_range_awaiter, A> children_;
  std::vector<std::optional<value_type>> slots_;  // with the winner's
};
}  // namespace detail

/// Awaits all of `a...` and gives the first to complete; the others are stopped and waited for.
///
/// **Shape.** started in order; when one completes at once, those after it are not started.
/// **Result.** `any_result {index, value, losers}`: `value` is the common type, or a `std::variant`
/// with the winner's index; `losers` a tuple of optionals. `void` is `std::monostate`.
/// **Errors.** a winner's error is its `value`. The first exception, by time, of any that
/// completed is rethrown.
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
