// penstock/core/root.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The root of all that one `run` of a loop runs: the main task, and the service scope that is
/// stopped and joined last.

#include <penstock/core/with_group.hpp>

#include <optional>

namespace penstock::detail {

// The group that background work of objects runs in; its stop does not follow the root's. An
// exception is the run's; an error goes to the log: the group knows that it is this one.
class service_scope : waiter {
 public:
  using finish_function = step (*)(void*) noexcept;

  void open(const environment& root, void* owner, finish_function finish) noexcept {
    env = &root;
    parent = nullptr;
    group_.open(*this, {.on_error = on_error::keep_going}, owner, finish);
    group_.env_.services = &group_;
  }
  task_group& group() noexcept { return group_; }
  const scope_stop& stop() const noexcept { return group_.link_.own; }
  // The main task is over: what runs is stopped; the last to end calls finish.
  step close() noexcept {
    group_.link_.own.request_stop(stop_reason::requested);
    return group_.one_ended(false);
  }
  void rethrow() {
    if (group_.exception_) std::rethrow_exception(group_.exception_);
  }

 private:
  task_group group_;
};

// One run of a loop: start(), then turns of the loop until over(), then outcome().
template <class A>
class root final : waiter, hook {
  using R = resume_t<A>;

 public:
  root(scheduler& s, A&& a) : aw_(std::move(a)) {
    env_.sched = &s;
    env_.stop = &stop_;
    env_.services = &services_.group();
    services_.open(env_, this, [](void* self) noexcept {
      static_cast<root*>(self)->over_ = true;
      return step{};
    });
    env = &env_;
    parent = nullptr;
    hooked = this;
  }
  // On the loop's thread, with current() set.
  void start() {
    if (aw_.await_ready())
      drive(unwind(done(*this, nullptr)));
    else
      drive(aw_.start(*this));
  }
  [[nodiscard]] bool over() const noexcept { return over_; }
  // On the loop's thread.
  void request_stop(stop_reason why) noexcept { stop_.request_stop(why); }
  [[nodiscard]] const scope_stop& stop() const noexcept { return stop_; }
  [[nodiscard]] const service_scope& services() const noexcept { return services_; }

  // A result carries the stop as an error; anything else throws it.
  R outcome() {
    if (cut_) {
      services_.rethrow();
      if constexpr (is_result_v<R>)
        return tl::unexpected<error>(error(errc::canceled));
      else
        throw_error(error(errc::canceled));
    }
    if constexpr (std::is_void_v<R>) {
      result_.get();
      services_.rethrow();
    } else {
      R value = result_.get();
      services_.rethrow();
      return value;
    }
  }

 private:
  step done(waiter&, waiter*) noexcept override {
    result_.take(aw_);
    return services_.close();
  }
  step stopped(waiter&, waiter* child) noexcept override {
    cut_ = true;
    destroy_child(*this, child);
    return services_.close();
  }
  bool is_scope() const noexcept override { return true; }

  A aw_;
  child_result<R> result_;
  environment env_;
  scope_stop stop_;
  service_scope services_;
  bool over_ = false;
  bool cut_ = false;
};

}  // namespace penstock::detail
