// penstock/core/shield.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Scopes with a single child that change what it inherits or how it ends: `shield` keeps stops and
/// deadlines out, `as_result` turns a stop into a value, `named` gives a name.

#include <penstock/core/detail/scope.hpp>

namespace penstock {
namespace detail {
// One child under a stop of its own that no outer stop reaches.
template <class A>
class shield_awaiter : public leaf<shield_awaiter<A>> {
 public:
  explicit shield_awaiter(A&& a) : child_(std::move(a)) {}
  shield_awaiter(shield_awaiter&& o) : leaf<shield_awaiter>(), child_(std::move(o.child_)) {}

  suspension start(waiter& w) {
    up_ = &w;
    env_ = *w.env;
    env_.stop = &link_.own;
    env_.deadline = (time_point::max)();
    link_.open_shielded(w);
    child_.open(*this, 0, w, env_);
    return child_.begin();
  }
  step child_ended(std::size_t) noexcept {
    link_.close();
    if (child_.end() == child_end::stopped) return {{}, up_, nullptr, true};
    return {{}, up_};
  }
  resume_t<A> await_resume() { return child_.awaiter().await_resume(); }
  [[nodiscard]] resume_t<A> await_resume() requires is_result_v<resume_t<A>> {
    return child_.awaiter().await_resume();
  }

 private:
  waiter* up_ = nullptr;
  environment env_;
  stop_link link_{"shield"};
  scope_child<A, shield_awaiter> child_;
};

template <class A>
class as_result_awaiter : public leaf<as_result_awaiter<A>> {
  using R = resume_t<A>;
  using out = as_result_t<R>;

 public:
  explicit as_result_awaiter(A&& a) : child_(std::move(a)) {}
  as_result_awaiter(as_result_awaiter&& o)
      : leaf<as_result_awaiter>(), child_(std::move(o.child_)) {}

  suspension start(waiter& w) {
    up_ = &w;
    child_.open(*this, 0, w, *w.env);
    return child_.begin();
  }
  step child_ended(std::size_t) noexcept { return {{}, up_}; }
  [[nodiscard]] out await_resume() {
    if (child_.end() == child_end::stopped) {
      return tl::unexpected<error>(error(errc::canceled));
    }
    if constexpr (std::is_void_v<R>) {
      child_.awaiter().await_resume();
      return out();
    } else {
      return out(child_.awaiter().await_resume());
    }
  }

 private:
  waiter* up_ = nullptr;
  scope_child<A, as_result_awaiter> child_;
};

template <class A>
class named_awaiter : public leaf<named_awaiter<A>> {
 public:
  named_awaiter(const char* name, A&& a) : name_(name), child_(std::move(a)) {}
  named_awaiter(named_awaiter&& o)
      : leaf<named_awaiter>(), name_(o.name_), child_(std::move(o.child_)) {}

  suspension start(waiter& w) {
    up_ = &w;
    env_ = *w.env;
    env_.name = name_;
    child_.open(*this, 0, w, env_);
    return child_.begin();
  }
  step child_ended(std::size_t) noexcept {
    if (child_.end() == child_end::stopped) return {{}, up_, nullptr, true};
    return {{}, up_};
  }
  resume_t<A> await_resume() { return child_.awaiter().await_resume(); }
  [[nodiscard]] resume_t<A> await_resume() requires is_result_v<resume_t<A>> {
    return child_.awaiter().await_resume();
  }

  // For task_group::start: before it is awaited.
  const char* name() const noexcept { return name_; }
  A take() && { return std::move(child_.awaiter()); }

 private:
  const char* name_;
  waiter* up_ = nullptr;
  environment env_;
  scope_child<A, named_awaiter> child_;
};
}  // namespace detail

/// Awaits `a` without letting a stop or a deadline from outside reach it.
///
/// **Result.** what `a` yields.
/// **Errors.** those of `a`.
/// **Suspends.** as `a` does, however long: bound it with `with_timeout` inside the shield.
/// **Cancellation.** a stop from outside takes effect at the next leaf after the shield.
/// **See also.** `finally`.
template <awaitable A>
[[nodiscard]] auto shield(A&& a) {
  return detail::shield_awaiter<detail::awaiter_t<A>>(detail::awaiter_of(std::forward<A>(a)));
}

/// Awaits `a` and turns *stopped* into `errc::canceled`.
///
/// **Result.** `result<T>` of what `a` yields, flattened when `a` yields a result.
/// **Errors.** `errc::canceled` when the work was stopped; those of `a`.
/// **Cancellation.** the stop stays requested: the next leaf that would suspend ends this task too,
/// unless it is shielded.
template <awaitable A>
[[nodiscard]] auto as_result(A&& a) {
  return detail::as_result_awaiter<detail::awaiter_t<A>>(detail::awaiter_of(std::forward<A>(a)));
}

/// Awaits `a` under a name, which dumps and `this_task::name` show; also for a child of a group:
/// `group.start(named("reader", read_all()))`.
///
/// **Parameters.** `name` - must outlive the work; a string literal.
/// **Result.** what `a` yields.
template <awaitable A>
[[nodiscard]] auto named(const char* name, A&& a) {
  return detail::named_awaiter<detail::awaiter_t<A>>(name, detail::awaiter_of(std::forward<A>(a)));
}

}  // namespace penstock
