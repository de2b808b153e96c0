// penstock/core/when_all.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Several awaitables at once, all results together. For a number of tasks that is known only while
/// they run, or with a limit, use task_group.hpp.

#include <penstock/core/detail/parallel.hpp>

#include <exception>
#include <optional>

namespace penstock {
namespace detail {
// What one child contributes: the value of a result, or the plain value; void as monostate.
template <class R>
struct all_part {
  using type = stored<R>;
};
template <class T>
struct all_part<result<T>> {
  using type = stored<T>;
};

// Keeps the children's results as they end, so that the first failure, by time, is known.
template <class Derived>
class all_scope : public parallel_scope<Derived> {
 protected:
  all_scope(const char* what, bool stop_siblings) noexcept
      : parallel_scope<Derived>(what), stop_siblings_(stop_siblings) {}

  // Takes child's result into `slot`.
  template <class Child, class Slot>
  void take(Child& child, Slot& slot) noexcept {
    if (child.end() == child_end::stopped) {
      any_stopped_ = true;
      return;
    }
    using R = resume_t<std::remove_reference_t<decltype(child.awaiter())>>;
    try {
      slot.emplace(resume_stored(child.awaiter()));
      if constexpr (is_result_v<R>) {
        if (stop_siblings_ && !slot->has_value()) fail_with(slot->error());
      }
    } catch (...) {
      if (!failed()) thrown_ = std::current_exception();
      if (stop_siblings_) this->stop_children(stop_reason::sibling_failed);
    }
  }
  [[nodiscard]] bool failed() const noexcept { return thrown_ || has_error_; }
  void rethrow() {
    if (thrown_) std::rethrow_exception(thrown_);
  }
  error error_;  // of has_error_
  bool has_error_ = false;

 private:
  friend parallel_scope<Derived>;
  void fail_with(const error& e) noexcept {
    if (!failed()) {
      error_ = e;
      has_error_ = true;
    }
    this->stop_children(stop_reason::sibling_failed);
  }
  // A child can only be stopped by the outer stop or by a sibling's failure.
  bool ends_stopped() const noexcept { return any_stopped_ && !failed(); }
  std::exception_ptr thrown_;
  bool stop_siblings_;
  bool any_stopped_ = false;
};

template <bool Settled, class... A>
class when_all_awaiter : public leaf<when_all_awaiter<Settled, A...>>,
                         all_scope<when_all_awaiter<Settled, A...>> {
  using base = all_scope<when_all_awaiter>;
  static constexpr bool fallible = !Settled && (is_result_v<resume_t<A>> || ...);
  using parts = std::conditional_t<Settled, std::tuple<stored<resume_t<A>>...>,
                                   std::tuple<typename all_part<resume_t<A>>::type...>>;
  using out = std::conditional_t<fallible, result<parts>, parts>;
  friend parallel_scope<when_all_awaiter>;
  template <class, class>
  friend class scope_child;

 public:
  explicit when_all_awaiter(A&&... a)
      : base(Settled ? "when_all_settled" : "when_all", !Settled), children_(std::move(a)...) {}
  when_all_awaiter(when_all_awaiter&& o)
      : leaf<when_all_awaiter>(),
        base(Settled ? "when_all_settled" : "when_all", !Settled),
        children_(std::move(o.children_)) {}

  suspension start(waiter& w) { return this->begin_all(children_, w); }
  out await_resume() { return take_outcome(); }
  [[nodiscard]] out await_resume() requires is_result_v<out> { return take_outcome(); }

 private:
  out take_outcome() {
    this->rethrow();
    if constexpr (fallible) {
      if (this->has_error_) return tl::unexpected<error>(std::move(this->error_));
    }
    return [&]<std::size_t... Index>(std::index_sequence<Index...>) {
      return out(parts(part(*std::get<Index>(slots_))...));
    }
    (std::index_sequence_for<A...>());
  }
  template <class T>
  static auto part(T& slot) {
    if constexpr (!Settled && is_result_v<T>) {
      if constexpr (std::is_void_v<typename T::value_type>)
        return std::monostate();
      else
        return typename T::value_type(std::move(*slot));
    } else {
      return T(std::move(slot));
    }
  }
  void on_end(std::size_t i) noexcept { on_end_at(i, std::index_sequence_for<A...>()); }
  template <std::size_t... Index>
  void on_end_at(std::size_t i, std::index_sequence<Index...>) noexcept {
    ((Index == i ? this->take(children_.template get<Index>(), std::get<Index>(slots_)) : void()),
     ...);
  }
  child_tuple<when_all_awaiter, A...> children_;
  std::tuple<std::optional<stored<resume_t<A>>>...> slots_;
};

template <bool Settled, class A>
class when_all_range_awaiter : public leaf<when_all_range_awaiter<Settled, A>>,
                               all_scope<when_all_range_awaiter<Settled, A>> {
  using base = all_scope<when_all_range_awaiter>;
  using R = resume_t<A>;
  static constexpr bool fallible = !Settled && is_result_v<R>;
  using item = std::conditional_t<Settled, stored<R>, typename all_part<R>::type>;
  using out = std::conditional_t<fallible, result<std::vector<item>>, std::vector<item>>;
  friend parallel_scope<when_all_range_awaiter>;
  template <class, class>
  friend class scope_child;

 public:
  template <class Range>
  when_all_range_awaiter(std::in_place_t, Range&& range)
      : base(Settled ? "when_all_settled" : "when_all", !Settled),
        children_(std::forward<Range>(range)),
        slots_(children_.size()) {}
  when_all_range_awaiter(when_all_range_awaiter&& o)
      : leaf<when_all_range_awaiter>(),
        base(Settled ? "when_all_settled" : "when_all", !Settled),
        children_(std::move(o.children_)),
        slots_(std::move(o.slots_)) {}

  suspension start(waiter& w) { return this->begin_all(children_, w); }
  out await_resume() { return take_outcome(); }
  [[nodiscard]] out await_resume() requires is_result_v<out> { return take_outcome(); }

 private:
  out take_outcome() {
    this->rethrow();
    if constexpr (fallible) {
      if (this->has_error_) return tl::unexpected<error>(std::move(this->error_));
    }
    std::vector<item> items;
    items.reserve(slots_.size());
    for (auto& s : slots_) {
      if constexpr (!fallible)
        items.push_back(std::move(*s));
      else if constexpr (std::is_void_v<typename R::value_type>)
        items.push_back(item());
      else
        items.push_back(std::move(**s));
    }
    return out(std::move(items));
  }
  void on_end(std::size_t i) noexcept { this->take(children_[i], slots_[i]); }
  child_vector<when_all_range_awaiter, A> children_;
  std::vector<std::optional<stored<R>>> slots_;
};
}  // namespace detail

/// Awaits all of `a...` at once and gives all results together.
///
/// **Shape.** started in order, run concurrently on this loop.
/// **Result.** a tuple of the values, `void` as `std::monostate`; when any of `a...` yields a
/// `result<T>`: `result` of the tuple of the values.
/// **Errors.** the first error or exception, by time; the siblings are stopped (reason
/// `sibling_failed`) and waited for.
/// **Suspends.** until all have ended.
/// **Cancellation.** a stop from outside ends all; results of those that completed are destroyed.
/// **Complexity.** no allocation; the range form allocates its children once.
/// **See also.** `when_all_settled`, `task_group`.
template <awaitable... A>
[[nodiscard]] auto when_all(A&&... a) {
  return detail::when_all_awaiter<false, detail::awaiter_t<A>...>(
      detail::awaiter_of(std::forward<A>(a))...);
}
/// The same for a vector of equal awaitables: a vector of values, in order.
template <awaitable A>
[[nodiscard]] auto when_all(std::vector<A> all) {
  return detail::when_all_range_awaiter<false, detail::awaiter_t<A>>(std::in_place, std::move(all));
}

/// Awaits all of `a...` at once and gives each one's own outcome: no failure stops a sibling.
///
/// **Result.** a tuple of what each yields, results unopened, `void` as `std::monostate`.
/// **Errors.** none of its own; the first exception is rethrown when all have ended.
/// **Cancellation.** a stop from outside ends all.
template <awaitable... A>
[[nodiscard]] auto when_all_settled(A&&... a) {
  return detail::when_all_awaiter<true, detail::awaiter_t<A>...>(
      detail::awaiter_of(std::forward<A>(a))...);
}
/// The same for a vector of equal awaitables.
template <awaitable A>
[[nodiscard]] auto when_all_settled(std::vector<A> all) {
  return detail::when_all_range_awaiter<true, detail::awaiter_t<A>>(std::in_place, std::move(all));
}

}  // namespace penstock
