// penstock/resilience/detail/shed_awaiter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a call waits for a place of a load_shed.

#include <penstock/base/result.hpp>
#include <penstock/resilience/detail/shed_object.hpp>

#include <optional>
#include <utility>

namespace penstock::detail {

// A place, for `admitted_call`.
class shed_permit {
 public:
  explicit shed_permit(shed_object& o) noexcept : object_(&o) {}
  shed_permit(shed_permit&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  shed_permit& operator=(shed_permit&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~shed_permit() {
    scheduler* const loop = scheduler::current();
    if (object_) object_->leave(loop ? loop->now() : time_point());
  }
  [[nodiscard]] bool exact_time() const noexcept { return object_->has_waiters(); }
  void ended(call_outcome, time_point now) noexcept { std::exchange(object_, nullptr)->leave(now); }

 private:
  shed_object* object_;  // null: it was given back
};

// Waits for an event, in a queue of the load_shed; the timer is for when no place becomes free.
class shed_awaiter : public leaf<shed_awaiter>, timer {
 public:
  shed_awaiter(shed_object& o, shed_priority p, scheduler& loop) noexcept
      : object_(&o), loop_(&loop), me_(p) {}
  shed_awaiter(shed_awaiter&& o) noexcept  // before it is awaited
      : leaf(), timer(), object_(o.object_), loop_(o.loop_), me_(o.me_.priority) {}
  ~shed_awaiter() {
    if (!wait_) return;
    disarm();
    object_->abandon(me_, loop_->now());
  }

  bool await_ready() noexcept {
    me_.since = loop_->about().earliest;
    return object_->enter(me_) != shed_object::entry::waits;
  }
  suspension start(waiter& w) noexcept {
    me_.since = loop_->now();
    const auto on_wait = [&] {
      if (stop_requested(w)) return false;
      wait_.emplace(me_.decided.wait());
      at = add_saturated(me_.since, object_->interval());
      loop_->add_timer(*this);
      return true;
    };
    if (object_->enter_or_wait(me_, on_wait) != shed_object::entry::waits) return resume_now(w);
    return wait_ ? wait_->start(w) : stopped_now(w);
  }
  [[nodiscard]] result<shed_permit> await_resume() noexcept {
    if (wait_) {
      wait_->await_resume();
      wait_.reset();
      disarm();
    }
    if (me_.why != shed_refusal::none) [[unlikely]]
      return refused();
    return shed_permit(*object_);
  }

 private:
  void on_time() noexcept override { object_->expire(me_, at); }
  void disarm() noexcept {
    if (armed) loop_->cancel_timer(*this);
  }
  PENSTOCK_NOINLINE tl::unexpected<error> refused() const noexcept {
    if (me_.why == shed_refusal::closed) return fail(errc::closed, object_->name());
    const bool full = me_.why == shed_refusal::full;
    return fail(errc::overloaded, object_->name(), full ? "the queue is full" : "waited too long");
  }

  shed_object* object_;
  scheduler* loop_;
  shed_waiter me_;
  std::optional<decltype(std::declval<event&>().wait())> wait_;
};

}  // namespace penstock::detail
