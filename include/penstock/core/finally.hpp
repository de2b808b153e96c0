// penstock/core/finally.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Asynchronous clean-up that runs on every outcome. For synchronous clean-up a destructor or
/// `scope_exit` is enough: frames are destroyed on a stop.

#include <penstock/core/detail/callable.hpp>
#include <penstock/core/detail/scope.hpp>

#include <exception>
#include <optional>

namespace penstock {
namespace detail {
// First the body, then the clean-up, shielded; then the body's outcome.
template <class A, class Cleanup>
class finally_awaiter : public leaf<finally_awaiter<A, Cleanup>> {
  static_assert(
      awaitable<std::invoke_result_t<Cleanup&>>,
      "the clean-up of finally returns an awaitable; for a synchronous one use scope_exit");
  using R = resume_t<A>;
  using C = awaiter_t<std::invoke_result_t<Cleanup&>>;
  static constexpr bool cleanup_fails = is_result_v<resume_t<C>>;
  using out = std::conditional_t<cleanup_fails, as_result_t<R>, R>;

 public:
  finally_awaiter(A&& a, Cleanup&& c) : cleanup_(std::forward<Cleanup>(c)), body_(std::move(a)) {}
  finally_awaiter(finally_awaiter&& o)
      : leaf<finally_awaiter>(),
        cleanup_(std::forward<Cleanup>(o.cleanup_)),
        body_(std::move(o.body_)) {}

  suspension start(waiter& w) {
    up_ = &w;
    body_.open(*this, 0, w, *w.env);
    return body_.begin();
  }
  step child_ended(std::size_t which) noexcept {
    if (which == 0) {
      if (body_.end() == child_end::completed) result_.take(body_.awaiter());
      return begin_cleanup();
    }
    if (beginning_) {
      at_once_ = true;
      return {};
    }
    link_.close();
    return over();
  }
  out await_resume() { return take_outcome(); }
  [[nodiscard]] out await_resume() requires is_result_v<out> { return take_outcome(); }

 private:
  out take_outcome() {
    if (body_.end() == child_end::stopped) return canceled();
    if constexpr (std::is_void_v<R>) {
      result_.get();
      after();
      if constexpr (cleanup_fails) {
        if (cleanup_failed_) return tl::unexpected<error>(std::move(error_));
        return {};
      }
    } else {
      R value = result_.get();
      after();
      if constexpr (cleanup_fails) {
        out result(std::move(value));
        if (!result) return result;
        if (cleanup_failed_) return tl::unexpected<error>(std::move(error_));
        return result;
      } else {
        return value;
      }
    }
  }
  step begin_cleanup() noexcept {
    env_ = *up_->env;
    env_.stop = &link_.own;
    env_.deadline = (time_point::max)();
    link_.open_shielded(*up_);
    try {
      after_.emplace(awaiter_of(cleanup_()));
      after_->open(*this, 1, *up_, env_);
      // What ends at once goes on from here, not from inside: a chain of clean-ups is no recursion.
      beginning_ = true;
      const handle begun = after_->begin();
      beginning_ = false;
      if (!at_once_) return {begun};
    } catch (...) {
      thrown_ = std::current_exception();
    }
    link_.close();
    return over();
  }
  // A stop goes on, unless the clean-up threw.
  step over() noexcept {
    if (body_.end() == child_end::stopped) {
      collect();
      if (!thrown_) return {{}, up_, nullptr, true};
    }
    return {{}, up_};
  }
  void collect() noexcept {
    if (!after_ || after_->end() != child_end::completed) return;
    try {
      if constexpr (cleanup_fails) {
        auto status = after_->awaiter().await_resume();
        cleanup_failed_ = !status;
        if (cleanup_failed_) error_ = std::move(status).error();
      } else {
        static_cast<void>(after_->awaiter().await_resume());
      }
    } catch (...) {
      thrown_ = std::current_exception();
    }
    after_.reset();
  }
  void after() {
    collect();
    if (thrown_) std::rethrow_exception(thrown_);
  }
  // Only after the clean-up of a stopped body threw.
  [[noreturn]] out canceled() { std::rethrow_exception(thrown_); }

  Cleanup cleanup_;
  waiter* up_ = nullptr;
  environment env_;
  stop_link link_{"finally"};
  std::exception_ptr thrown_;
  bool beginning_ = false;
  bool at_once_ = false;
  bool cleanup_failed_ = false;
  error error_;
  scope_child<A, finally_awaiter> body_;
  child_result<R> result_;
  std::optional<scope_child<C, finally_awaiter>> after_;
};
}  // namespace detail

/// Awaits `body`; then, whatever its outcome, awaits what `cleanup()` returns, shielded from stops
/// and deadlines.
///
/// **Parameters.** `cleanup` - a callable that returns an awaitable of `void` or `result<...>`;
/// kept by reference when it is an lvalue. On g++ 12 a temporary closure must be trivially copyable
/// (`[&]` is): else name it.
/// **Result.** that of `body`; `result<T>` when the clean-up yields a result.
/// **Errors.** those of `body`; else that of the clean-up. An exception of the clean-up passes
/// through unless `body` threw.
/// **Cancellation.** a stopped `body` is unwound first, then the clean-up runs, then the stop goes
/// on.
template <awaitable A, class Cleanup>
requires std::invocable<Cleanup&>
[[nodiscard]] auto finally(A&& body, Cleanup&& cleanup) {
  detail::check_closure<Cleanup>();
  return detail::finally_awaiter<detail::awaiter_t<A>, Cleanup>(
      detail::awaiter_of(std::forward<A>(body)), std::forward<Cleanup>(cleanup));
}

}  // namespace penstock
