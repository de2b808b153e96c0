// penstock/core/detail/scope.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What every scope is made of: a link from the outer stop to its own, and receivers for children.

#include <penstock/core/awaitable.hpp>
#include <penstock/core/scheduler.hpp>

#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

namespace penstock::detail {

// A scope's own stop, which follows the outer one.
class stop_link final : stop_node {
 public:
  explicit stop_link(const char* what) noexcept : what_(what) {}
  stop_link(const stop_link&) = delete;
  stop_link& operator=(const stop_link&) = delete;
  ~stop_link() { close(); }  // open yet when a test's runtime gives up in the middle

  scope_stop own;

  // Follows `up`'s stop until close().
  void open(waiter& up) noexcept {
    up_ = &up;
    if (!up.env->stop->try_add(*this)) own.request_stop(up.env->stop->reason());
  }
  // Only listed for dumps: an outer stop does not come through.
  void open_shielded(waiter& up) noexcept {
    up_ = &up;
    shielded_ = true;
    up.env->stop->add(*this);
  }
  void close() noexcept { scope_stop::remove(*this); }

 private:
  void on_stop() noexcept override {
    if (shielded_)
      up_->env->stop->add(*this);
    else
      own.request_stop(up_->env->stop->reason());
  }
  wait_info info() const noexcept override { return {what_, nullptr, up_, &own}; }

  const char* what_;
  waiter* up_ = nullptr;
  bool shielded_ = false;
};

enum class child_end : unsigned char { running, completed, stopped };

// One child of a scope: its receiver and its awaiter. Scope::child_ended(i) -> step.
template <class A, class Scope>
class scope_child final : waiter, hook {
 public:
  explicit scope_child(A&& a) : aw_(std::move(a)) {}
  scope_child(scope_child&& o) : waiter(), hook(), aw_(std::move(o.aw_)) {}

  void open(Scope& s, std::size_t index, waiter& up, const environment& e) noexcept {
    scope_ = &s;
    index_ = index;
    parent = &up;
    env = &e;
    hooked = this;
  }
  // The scope's only child so far: its coroutine can be transferred to.
  handle begin() noexcept {
    if constexpr (!is_task_awaiter<A>) {
      if (aw_.await_ready()) return unwind(done(*this, nullptr));
    }
    return aw_.start(*this);
  }
  // One of several, begun in a row. A task goes through the ready queue.
  void begin_posted() noexcept {
    if constexpr (is_task_awaiter<A>) {
      aw_.post(*this);
    } else {
      // The scope counts itself as running: a leaf that ends here cannot complete the scope.
      if (aw_.await_ready())
        static_cast<void>(done(*this, nullptr));
      else
        drive_later(aw_.start(*this));
    }
  }
  [[nodiscard]] child_end end() const noexcept { return end_; }
  A& awaiter() noexcept { return aw_; }

 private:
  // A scope inside a scope starts with a fresh coroutine of its own: that one goes the same way.
  void drive_later(handle h) noexcept {
    if (h) env->sched->post(std::coroutine_handle<waiter>::from_address(h.address()).promise());
  }
  step done(waiter&, waiter*) noexcept override {
    end_ = child_end::completed;
    return scope_->child_ended(index_);
  }
  step stopped(waiter&, waiter* child) noexcept override {
    end_ = child_end::stopped;
    destroy_child(*this, child);
    return scope_->child_ended(index_);
  }
  bool is_scope() const noexcept override { return true; }

  A aw_;
  Scope* scope_ = nullptr;
  std::size_t index_ = 0;
  child_end end_ = child_end::running;
};

// What a child yielded, where the scope goes on to wait for something else. Taken when the child
// ends, because a coroutine that ended by ok() stands where it failed, with all its locals, until
// its frame is destroyed: they may be what the others wait for.
template <class R>
class child_result {
 public:
  template <class A>
  void take(A& awaiter) noexcept {
    try {
      value_.emplace(resume_stored(awaiter));
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }
  // Once, after take().
  R get() {
    if (thrown_) std::rethrow_exception(std::move(thrown_));
    if constexpr (!std::is_void_v<R>) return static_cast<R&&>(*value_);
  }

 private:
  std::optional<stored<R>> value_;
  std::exception_ptr thrown_;
};

template <class T>
void task_awaiter<T>::post(waiter& up) noexcept {
  open(up);
  up.slot = &p_;
  up.env->sched->post(*p_);
}

}  // namespace penstock::detail
