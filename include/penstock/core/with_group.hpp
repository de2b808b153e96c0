// penstock/core/with_group.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `with_group(body)`: runs the body with a task_group and ends when every task in it has ended.

#include <penstock/base/taken.hpp>
#include <penstock/core/ok.hpp>
#include <penstock/core/task_group.hpp>

namespace penstock {
namespace detail {
// The outside stop of a group with a grace period: ends the body now and the children later.
class drain_point : stop_node, timer {
 public:
  drain_point() noexcept = default;
  drain_point(const drain_point&) = delete;
  drain_point& operator=(const drain_point&) = delete;
  ~drain_point() { close(); }

  // `group_up` is the group as a waiter: what the body follows besides.
  void open(waiter& up, scope_stop& children, waiter& group_up, duration grace) noexcept {
    up_ = &up;
    children_ = &children;
    grace_ = grace;
    body.open(group_up);
    if (!up.env->stop->try_add(*this)) on_stop();
  }
  void close() noexcept {
    if (armed) up_->env->sched->cancel_timer(*this);
    scope_stop::remove(*this);
    body.close();
  }
  stop_link body{"with_group body"};
  bool drained = false;

 private:
  void on_stop() noexcept override {
    drained = true;
    body.own.request_stop(up_->env->stop->reason());
    at = add_saturated(up_->env->sched->now(), grace_);
    phase = timer_phase::scope;
    up_->env->sched->add_timer(*this);
  }
  void on_time() noexcept override { children_->request_stop(up_->env->stop->reason()); }
  wait_info info() const noexcept override {
    return {"with_group", children_, up_, children_, drained ? at : (time_point::max)()};
  }

  waiter* up_ = nullptr;
  scope_stop* children_ = nullptr;
  duration grace_{};
};

// Body is F& for an lvalue, which outlives the expression, or F for an rvalue, kept here.
template <class Body>
class with_group_awaiter : public leaf<with_group_awaiter<Body>>, waiter, hook {
  static_assert(is_task_v<std::invoke_result_t<Body&, task_group&>>,
                "the body of with_group is a coroutine: it returns a task");
  using T = typename std::invoke_result_t<Body&, task_group&>::value_type;
  using out = std::conditional_t<std::is_void_v<T>, void, as_result_t<T>>;
  static constexpr bool can_drain = std::is_void_v<T> || std::is_same_v<T, result<>>;

 public:
  with_group_awaiter(const group_options& o, Body&& b)
      : body_(std::forward<Body>(b)), options_(o) {}
  with_group_awaiter(with_group_awaiter&& o)
      : leaf<with_group_awaiter>(),
        waiter(),
        hook(),
        body_(std::forward<Body>(o.body_)),
        options_(o.options_) {}
  ~with_group_awaiter() {
    if (frame_) destroy_frame(*frame_);
  }

  suspension start(waiter& w) noexcept {
    if (options_.grace.count() < 0) stop_program("group_options::grace is negative");
    up_ = &w;
    group_.open(w, options_, this, [](void* self) noexcept {
      return static_cast<with_group_awaiter*>(self)->ended();
    });
    env = &group_.env_;
    if (options_.grace.count() > 0) {
      if constexpr (!can_drain)
        stop_program("group_options::grace needs a body of task<> or task<result<>>");
      drain_.open(w, group_.link_.own, group_, options_.grace);
      body_env_ = group_.env_;
      body_env_.stop = &drain_.body.own;
      env = &body_env_;
    } else {
      group_.link_.open(w);
    }
    parent = &w;
    hooked = this;
    try {
      frame_ = body_(group_).release();
    } catch (...) {
      group_.fail(std::current_exception());
      return unwind(group_.one_ended(false));
    }
    frame_->parent = this;
    frame_->env = env;
    return handle_of(*frame_);
  }
  out await_resume() { return take_outcome(); }
  [[nodiscard]] out await_resume() requires is_result_v<out> { return take_outcome(); }

 private:
  out take_outcome() {
    struct last {
      with_group_awaiter* self;
      ~last() {
        if (self->frame_) destroy_frame(*detail::taken(self->frame_));
      }
    } at_end{this};
    if (group_.failed_) {
      if (group_.exception_) std::rethrow_exception(group_.exception_);
      if constexpr (std::is_void_v<T>)
        throw_error(group_.error_);
      else
        return tl::unexpected<error>(group_.error_);
    }
    if constexpr (std::is_void_v<T>) {
      return;
    } else {
      if (frame_) return out(static_cast<task_promise<T>*>(frame_)->take());
      if constexpr (can_drain) {
        if (drain_.drained) return out();
      }
      return tl::unexpected<error>(error(errc::canceled));
    }
  }
  // The body's end. Its frame stays for its value and its parameters. A stopped one goes at once,
  // and a failed one: by ok() it ended with all its locals.
  step done(waiter&, waiter*) noexcept override {
    group_.note(*frame_);
    if (frame_->state != outcome::value) destroy_frame(*detail::taken(frame_));
    return group_.one_ended(false);
  }
  step stopped(waiter&, waiter*) noexcept override {
    group_.any_stopped_ = true;
    destroy_frame(*detail::taken(frame_));
    return group_.one_ended(false);
  }
  bool is_scope() const noexcept override { return true; }

  // The last task has ended.
  step ended() noexcept {
    if (options_.grace.count() > 0)
      drain_.close();
    else
      group_.link_.close();
    const bool cut = group_.any_stopped_ && stop_requested(*up_) && !drain_.drained;
    return {{}, up_, nullptr, cut && !group_.failed_};
  }

  Body body_;
  group_options options_;
  waiter* up_ = nullptr;
  promise_base* frame_ = nullptr;
  task_group group_;
  drain_point drain_;
  environment body_env_;
};
}  // namespace detail

/// Runs `body(group)` and waits for it and for every task started in the group.
///
/// **Shape.** the body is the first child; it may start others at any time, and children may too.
/// **Parameters.** `body` - a callable from `task_group&` to a task; kept by reference when it is
/// an lvalue. On g++ 12 a temporary closure must be trivially copyable (`[&]` is): else name it.
/// **Result.** nothing for a body of `task<>`; `result<T>` for `task<T>` or `task<result<T>>`.
/// **Errors.** the first exception or error of a child or the body, when all have ended; for a body
/// of `task<>` an error is thrown, as by `must`. `errc::canceled` when the group was stopped from
/// inside before the body had a value.
/// **Suspends.** until the last child has ended.
/// **Cancellation.** a stop from outside stops body and children; stopped, if any of them ended so.
/// With `options.grace` it is a drain point: see `group_options`.
/// **Complexity.** no allocation of its own.
/// **Lifetime.** what children capture by reference is declared outside the body.
/// **See also.** `task_group`, `when_all`.
template <class Body>
requires std::invocable<Body&, task_group&>
[[nodiscard]] auto with_group(Body&& body) {
  detail::check_closure<Body>();
  return detail::with_group_awaiter<Body>({}, std::forward<Body>(body));
}
template <class Body>
requires std::invocable<Body&, task_group&>
[[nodiscard]] auto with_group(group_options options, Body&& body) {
  detail::check_closure<Body>();
  return detail::with_group_awaiter<Body>(options, std::forward<Body>(body));
}

}  // namespace penstock
