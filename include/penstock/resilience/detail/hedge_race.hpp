// penstock/resilience/detail/hedge_race.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One hedged call: attempts that begin one after the other while there is no answer, and end
/// together.

#include <penstock/core/frame_allocator.hpp>
#include <penstock/core/shield.hpp>
#include <penstock/resilience/call_outcome.hpp>
#include <penstock/resilience/detail/hedge_object.hpp>
#include <penstock/resilience/policy_operation.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace penstock::detail {

template <class Fn, class Judge>
class hedge_race : public leaf<hedge_race<Fn, Judge>>, timer {
  using A = awaiter_t<std::invoke_result_t<Fn&>>;
  using out = policy_result_t<Fn>;

 public:
  // `object` outlives the call.
  hedge_race(hedge_object& object, const Judge& judge, Fn fn)
      : object_(&object), judge_(judge), fn_(std::move(fn)) {}
  hedge_race(hedge_race&& o)
      : leaf<hedge_race>(),
        timer(),
        object_(o.object_),
        judge_(std::move(o.judge_)),
        fn_(std::move(o.fn_)) {}
  ~hedge_race() {
    disarm();
    while (others_) delete std::exchange(others_, others_->next);
  }

  suspension start(waiter& w) noexcept {
    up_ = &w;
    env_ = *w.env;
    env_.stop = &link_.own;
    call_ = object_->begin(env_);
    phase = timer_phase::scope;
    turn_.open(*this, env_);
    try {
      first_.emplace(awaiter_of(std::invoke(fn_)));
    } catch (...) {
      thrown_ = std::current_exception();
      return resume_now(w);
    }
    link_.open(w);
    left_ = begun_ = 1;
    next_in(call_.delay);
    first_->child.open(*this, 0, w, env_);
    return first_->child.begin();
  }
  step child_ended(std::size_t i) noexcept {
    attempt& a = *attempt_at(i);
    if (a.child.end() == child_end::stopped)
      cut_ = true;
    else
      ended(a, i);
    return one_less();
  }
  [[nodiscard]] out await_resume() {
    if (thrown_) std::rethrow_exception(std::move(thrown_));
    return *std::move(result_);
  }

 private:
  struct attempt {
    explicit attempt(A&& a) : child(std::move(a)) {}
    scope_child<A, hedge_race> child;
    attempt* next = nullptr;

    static void* operator new(std::size_t n) { return frame_allocate(n); }
    static void operator delete(void* p, std::size_t n) noexcept { frame_free(p, n); }
  };
  // The turn of the loop in which the next attempt begins: a timer and the end of another attempt
  // are no place for the operation's code.
  class turn final : public waiter, hook {
   public:
    turn() noexcept = default;
    void open(hedge_race& r, const environment& e) noexcept {
      race_ = &r;
      env = &e;
      parent = nullptr;
      hooked = this;
    }

   private:
    step done(waiter&, waiter*) noexcept override { return race_->begin_next(); }
    hedge_race* race_ = nullptr;
  };

  static_assert(alignof(attempt) <= 16, "over-aligned operations: put them on the heap");

  void next_in(duration d) noexcept {
    if (begun_ == object_->most()) return;
    if (d <= duration::zero())
      on_time();
    else if (d != (duration::max)())
      env_.sched->add_timer_in(*this, d);
  }
  void on_time() noexcept override {
    ++left_;
    waits_for_turn_ = true;
    env_.sched->post(turn_);
  }
  step begin_next() noexcept {
    waits_for_turn_ = false;
    if (settled_ || link_.own.stop_requested() ||
        !object_->try_hedge(call_, begun_ + 1, failed_, *env_.sched))
      return one_less();
    attempt* const a = make_attempt();
    if (!a) return one_less();
    a->next = std::exchange(others_, a);
    failed_ = false;
    const std::size_t index = begun_++;  // what was counted for the turn is this attempt's
    next_in(call_.delay);
    a->child.open(*this, index, *up_, env_);
    return {a->child.begin()};
  }

  attempt* make_attempt() noexcept {
    try {
      A awaiter = awaiter_of(std::invoke(fn_));
      return new attempt(std::move(awaiter));
    } catch (...) {
      thrown_ = std::current_exception();
      settle();
      return nullptr;
    }
  }
  // Completed: its result is taken at once, because its frame must go.
  void ended(attempt& a, std::size_t i) noexcept {
    try {
      out r = a.child.awaiter().await_resume();
      if (settled_) return;
      const call_outcome how = classify(judge_, r);
      result_.emplace(std::move(r));
      if (how == call_outcome::success || how == call_outcome::slow) {
        object_->succeeded(call_, i + 1, env_);
        settle();
      } else if (how != call_outcome::failure) {
        settle();
      } else if (begun_ != object_->most() && !waits_for_turn_) {
        disarm();
        failed_ = true;
        on_time();
      }
    } catch (...) {
      if (settled_) return;
      thrown_ = std::current_exception();
      settle();
    }
  }
  // What is known now is the outcome.
  void settle() noexcept {
    settled_ = true;
    disarm();
    link_.own.request_stop(stop_reason::race_lost);
  }
  step one_less() noexcept {
    if (--left_ != 0) return {};
    disarm();
    link_.close();
    if (cut_ && !settled_) return {{}, up_, nullptr, true};
    return {{}, up_};
  }
  void disarm() noexcept {
    if (armed) env_.sched->cancel_timer(*this);
  }
  attempt* attempt_at(std::size_t i) noexcept {
    if (i == 0) return &*first_;
    attempt* a = others_;  // the newest first
    for (std::size_t n = begun_ - 1; n != i; --n) a = a->next;
    return a;
  }

  hedge_object* object_;
  Judge judge_;
  Fn fn_;
  waiter* up_ = nullptr;
  environment env_;
  stop_link link_{"hedge"};
  turn turn_;
  hedge_object::call call_;
  std::size_t begun_ = 0;
  std::size_t left_ = 0;         // attempts that run, and the turn
  bool waits_for_turn_ = false;  // the turn is in the ready queue
  bool failed_ = false;          // the next attempt begins because one has failed
  bool cut_ = false;             // an attempt was stopped
  bool settled_ = false;
  std::optional<attempt> first_;
  attempt* others_ = nullptr;
  std::optional<out> result_;
  std::exception_ptr thrown_;
};

}  // namespace penstock::detail
