// penstock/core/resume_on.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Runs something on another loop and comes back. For blocking work use offload.hpp.

#include <penstock/base/atomic.hpp>
#include <penstock/core/detail/scope.hpp>

namespace penstock {
namespace detail {
// Three posts: the child to the other loop, a stop to the other loop, the end back here.
template <class A>
class resume_on_awaiter : public leaf<resume_on_awaiter<A>>, stop_node {
 public:
  resume_on_awaiter(scheduler& s, A&& a) : child_(std::move(a)) { env_.sched = &s; }
  resume_on_awaiter(resume_on_awaiter&& o)
      : leaf<resume_on_awaiter>(), stop_node(), child_(std::move(o.child_)) {
    env_.sched = o.env_.sched;
  }
  ~resume_on_awaiter() { scope_stop::remove(*this); }

  suspension start(waiter& w) noexcept {
    up_ = &w;
    if (!w.env->stop->try_add(*this)) return stopped_now(w);
    scheduler& there = *env_.sched;
    env_ = *w.env;
    env_.sched = &there;
    env_.stop = &stop_;
    env_.services = nullptr;
    child_.open(*this, 0, w, env_);
    begin_.open(*this, env_);
    stop_post_.open(*this, env_);
    there.post(begin_);
    return parked();
  }
  // On the other loop, where the child's frame is destroyed too.
  step child_ended(std::size_t) noexcept {
    if (child_.end() == child_end::completed) result_.take(child_.awaiter());
    leave();
    return {};
  }
  resume_t<A> await_resume() { return take_outcome(); }
  [[nodiscard]] resume_t<A> await_resume() requires is_result_v<resume_t<A>> {
    return take_outcome();
  }

 private:
  resume_t<A> take_outcome() {
    scope_stop::remove(*this);
    return result_.get();
  }
  // What arrives on the other loop.
  class arrival : public waiter, hook {
   public:
    explicit arrival(step (resume_on_awaiter::*run)() noexcept) noexcept : run_(run) {}
    void open(resume_on_awaiter& s, const environment& e) noexcept {
      self_ = &s;
      env = &e;
      parent = nullptr;
      hooked = this;
    }

   private:
    step done(waiter&, waiter*) noexcept override { return (self_->*run_)(); }
    resume_on_awaiter* self_ = nullptr;
    step (resume_on_awaiter::*run_)() noexcept;
  };
  step begin_there() noexcept { return {child_.begin()}; }
  step stop_there() noexcept {
    stop_.request_stop(why_);
    leave();
    return {};
  }
  // The last of child and stop, there, sends the end back.
  void leave() noexcept {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (child_.end() == child_end::stopped)
      up_->env->sched->post_stopped(*up_);
    else
      up_->env->sched->post(*up_);
  }
  // Here. The stop counts as one more to wait for, unless the end is on its way.
  void on_stop() noexcept override {
    int left = left_.load(std::memory_order_acquire);
    while (left != 0) {
      if (left_.compare_exchange_weak(left, left + 1, std::memory_order_acq_rel)) {
        why_ = up_->env->stop->reason();
        env_.sched->post(stop_post_);
        return;
      }
    }
  }
  wait_info info() const noexcept override { return {"resume_on", env_.sched, up_}; }

  waiter* up_ = nullptr;
  environment env_;
  scope_stop stop_;
  stop_reason why_ = stop_reason::none;
  atomic<int> left_{1};  // child and stop; decremented there, incremented here
  arrival begin_{&resume_on_awaiter::begin_there};
  arrival stop_post_{&resume_on_awaiter::stop_there};
  scope_child<A, resume_on_awaiter> child_;
  child_result<resume_t<A>> result_;
};
}  // namespace detail

/// Awaits `a` on the loop `there`, then continues on this one.
///
/// **Result.** what `a` yields.
/// **Errors.** those of `a`.
/// **Suspends.** always: two posts between the loops.
/// **Cancellation.** the stop is posted to the other loop; `a` ends there and is waited for.
/// **Thread-safety.** `a` runs on `there`'s thread, after everything that this task did before.
/// **Complexity.** no allocation.
/// **Lifetime.** the loop `there` must run until then. Background work of objects (service scope)
/// is not available to what runs there.
template <awaitable A>
[[nodiscard]] auto resume_on(scheduler& there, A&& a) {
  return detail::resume_on_awaiter<detail::awaiter_t<A>>(there,
                                                         detail::awaiter_of(std::forward<A>(a)));
}

}  // namespace penstock
