// penstock/core/ok.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `ok`: the value of a result, or out of this coroutine with its error. `must`: the value, or an
/// exception. Both without a macro.

#include <penstock/core/awaitable.hpp>

#include <memory>
#include <new>
#include <system_error>

namespace penstock {

/// Throws std::system_error with the error's code and, as text, its whole message.
[[noreturn]] PENSTOCK_NOINLINE inline void throw_error(const error& e) {
  throw std::system_error(e.code(), e.message());
}

namespace detail {
template <class Promise>
inline constexpr bool can_fail = requires(Promise& p, const error& e) {
  p.complete_with(e);
};

#define PENSTOCK_OK_NEEDS_RESULT "ok() needs a coroutine that returns task<result<T>> around it"

template <class A>
class ok_awaiter;

// ok(task): the child's own promise tells whether it failed; nothing is stored here.
template <class T>
class ok_awaiter<task_awaiter<T>> final : hook {
  static_assert(is_result_v<T>, "ok() takes something that yields a result");

 public:
  explicit ok_awaiter(task_awaiter<T>&& a) noexcept : inner_(std::move(a)) { only_errors = true; }
  ok_awaiter(ok_awaiter&& o) noexcept : ok_awaiter(std::move(o.inner_)) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    static_assert(can_fail<Promise>, PENSTOCK_OK_NEEDS_RESULT);
    Promise& p = h.promise();
    fail_ = [](waiter& at, const error& e) noexcept {
      return static_cast<Promise&>(at).complete_with(e);
    };
    p.hooked = this;
    return go(inner_.start(p));
  }
  typename T::value_type await_resume() { return inner_.take_value(); }

 private:
  handle arrive(waiter& at, waiter*) noexcept override {
    at.hooked = nullptr;
    if (!inner_.failed()) [[likely]]
      return handle_of(at);
    return unwind(leave(at));
  }
  step done(waiter& at, waiter*) noexcept override {
    at.hooked = nullptr;
    if (!inner_.failed()) return {handle_of(at)};
    return leave(at);
  }
  // The child unwinds before its parent completes.
  step leave(waiter& at) noexcept {
    const error e = *inner_.failed();
    inner_.discard();
    return fail_(at, e);
  }
  task_awaiter<T> inner_;
  step (*fail_)(waiter&, const error&) noexcept = nullptr;
};

// A leaf that tells, when it is over, whether its result will have a value, and whose
// await_resume() does not throw.
template <class A>
concept tells_success = requires(const A& a, A& b) {
  { a.succeeded() }
  noexcept->std::same_as<bool>;
  { b.await_resume() }
  noexcept;
};

// ok() of such a leaf: nothing is stored here either.
template <tells_success A>
class ok_awaiter<A> final : hook {
  using R = resume_t<A>;
  static_assert(is_result_v<R>, "ok() takes something that yields a result");

 public:
  explicit ok_awaiter(A&& a) noexcept : inner_(std::move(a)) {}
  ok_awaiter(ok_awaiter&& o) noexcept : hook(), inner_(std::move(o.inner_)) {}

  bool await_ready() noexcept {
    if (!inner_.await_ready()) return false;
    over_ = true;
    return inner_.succeeded();
  }
  template <class Promise>
  transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    static_assert(can_fail<Promise>, PENSTOCK_OK_NEEDS_RESULT);
    Promise& p = h.promise();
    fail_ = [](waiter& at, const error& e) noexcept {
      return static_cast<Promise&>(at).complete_with(e);
    };
    if (over_) return go(unwind(leave(p)));
    p.hooked = this;
    return go(inner_.start(p));
  }
  typename R::value_type await_resume() noexcept {
    R r = inner_.await_resume();
    if constexpr (!std::is_void_v<typename R::value_type>) return std::move(*r);
  }

 private:
  handle arrive(waiter& at, waiter*) noexcept override {
    at.hooked = nullptr;
    if (inner_.succeeded()) [[likely]]
      return handle_of(at);
    return unwind(leave(at));
  }
  step done(waiter& at, waiter*) noexcept override {
    at.hooked = nullptr;
    if (inner_.succeeded()) return {handle_of(at)};
    return leave(at);
  }
  step leave(waiter& at) noexcept {
    const R failed = inner_.await_resume();
    return fail_(at, failed.error());
  }
  bool over_ = false;  // at once; here it takes no room
  A inner_;
  step (*fail_)(waiter&, const error&) noexcept = nullptr;
};

// ok(leaf) and ok(scope): the result is taken when it is there, and looked at before the resume.
template <class A>
class ok_awaiter final : hook {
  using R = resume_t<A>;
  static_assert(is_result_v<R>, "ok() takes something that yields a result");
  static constexpr bool throws = !noexcept(std::declval<A&>().await_resume());

 public:
  explicit ok_awaiter(A&& a) : inner_(std::move(a)) {}
  ok_awaiter(ok_awaiter&& o) noexcept(std::is_nothrow_move_constructible_v<A>)
      : hook(), inner_(std::move(o.inner_)) {}
  ~ok_awaiter() {
    if (has_) std::destroy_at(std::addressof(result_));
  }

  bool await_ready() {
    if (!inner_.await_ready()) return false;
    take();
    return result_.has_value();
  }
  template <class Promise>
  transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    static_assert(can_fail<Promise>, PENSTOCK_OK_NEEDS_RESULT);
    Promise& p = h.promise();
    if (has_) return go(unwind(p.complete_with(result_.error())));
    fail_ = [](waiter& at, const error& e) noexcept {
      return static_cast<Promise&>(at).complete_with(e);
    };
    p.hooked = this;
    return go(inner_.start(p));
  }
  typename R::value_type await_resume() {
    if constexpr (throws) {
      if (thrown_) std::rethrow_exception(std::move(thrown_));
    }
    if constexpr (!std::is_void_v<typename R::value_type>) return std::move(*result_);
  }

 private:
  handle arrive(waiter& at, waiter*) noexcept override {
    at.hooked = nullptr;
    if (goes_on()) [[likely]]
      return handle_of(at);
    return unwind(fail_(at, result_.error()));
  }
  step done(waiter& at, waiter*) noexcept override {
    at.hooked = nullptr;
    if (goes_on()) return {handle_of(at)};
    return fail_(at, result_.error());
  }
  // To take the value, or to throw.
  bool goes_on() noexcept {
    if constexpr (throws) {
      try {
        take();
      } catch (...) {
        thrown_ = std::current_exception();
        return true;
      }
    } else {
      take();
    }
    return result_.has_value();
  }
  void take() noexcept(!throws) {
    ::new (static_cast<void*>(std::addressof(result_))) R(inner_.await_resume());
    has_ = true;
  }
  A inner_;
  step (*fail_)(waiter&, const error&) noexcept = nullptr;
  union {
    R result_;
  };
  bool has_ = false;
  struct nothing {};
  [[no_unique_address]] std::conditional_t<throws, std::exception_ptr, nothing> thrown_;
};

// ok(result): no waiting.
template <class T>
class ok_value {
 public:
  explicit ok_value(result<T> r) : result_(std::move(r)) {}
  bool await_ready() const noexcept { return result_.has_value(); }
  template <class Promise>
  transfer await_suspend(std::coroutine_handle<Promise> h) noexcept {
    static_assert(can_fail<Promise>, PENSTOCK_OK_NEEDS_RESULT);
    return go(unwind(h.promise().complete_with(result_.error())));
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(*result_);
  }

 private:
  result<T> result_;
};
#undef PENSTOCK_OK_NEEDS_RESULT

template <class A>
class must_awaiter : public leaf<must_awaiter<A>> {
  using R = resume_t<A>;
  static_assert(is_result_v<R>, "must() takes something that yields a result");

 public:
  explicit must_awaiter(A&& a) : inner_(std::move(a)) {}
  bool await_ready() { return inner_.await_ready(); }
  handle start(waiter& w) { return inner_.start(w); }
  typename R::value_type await_resume() {
    R r = inner_.await_resume();
    if (!r) throw_error(r.error());
    if constexpr (!std::is_void_v<typename R::value_type>) return std::move(*r);
  }

 private:
  A inner_;
};
}  // namespace detail

/// Awaits something that yields `result<U>` and gives the `U`, or completes the calling
/// `task<result<T>>` with the error.
///
/// **Result.** the value. On an error the caller is *not* resumed: it completes with that error
/// where it stands, its frame is destroyed, destructors run. The failed child is gone by then.
/// **Errors.** those of `a`, unchanged. Exceptions of `a` are rethrown here.
/// **Suspends.** as `a` does.
/// **Cancellation.** as `a`.
/// **Complexity.** no allocation.
/// **See also.** `must`, where an error is a bug.
template <awaitable A>
[[nodiscard]] auto ok(A&& a) {
  return detail::ok_awaiter<detail::awaiter_t<A>>(detail::awaiter_of(std::forward<A>(a)));
}
// One that has a name.
template <class A>
requires(std::is_class_v<A>&& awaitable<A>) [[nodiscard]] auto ok(A& a) {
  static_assert(sizeof(A) == 0, "what is awaited is used once: ok(std::move(it))");
  return ok(std::move(a));
}
/// The same for a result that is there already.
template <class T>
[[nodiscard]] detail::ok_value<T> ok(result<T> r) {
  return detail::ok_value<T>(std::move(r));
}

/// Awaits something that yields `result<U>` and gives the `U`, or throws `std::system_error`: for
/// `main`-like code and tests, where an error is a bug.
///
/// **Errors.** throws what `throw_error` throws.
/// **Suspends.** as `a` does.
/// **Cancellation.** as `a`.
template <awaitable A>
auto must(A&& a) {
  return detail::must_awaiter<detail::awaiter_t<A>>(detail::awaiter_of(std::forward<A>(a)));
}
/// The same for a result that is there already; not awaited.
template <class T>
T must(result<T> r) {
  if (!r) throw_error(r.error());
  if constexpr (!std::is_void_v<T>) return std::move(*r);
}

}  // namespace penstock
