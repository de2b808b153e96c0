// penstock/resilience/detail/shed_awaiter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a call waits for a place of a load_shed, and who gets it. Included by shed_object.hpp only.

#include <penstock/base/result.hpp>
#include <penstock/resilience/detail/shed_object.hpp>

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

// The timer is for when no place becomes free at all.
class shed_awaiter : public primitive_leaf<shed_awaiter>, timer {
 public:
  shed_awaiter(shed_object& o, shed_priority p, scheduler& loop) noexcept
      : object_(&o), loop_(&loop), priority_(p) {}
  shed_awaiter(shed_awaiter&& o) noexcept  // before it is awaited
      : primitive_leaf(), timer(), object_(o.object_), loop_(o.loop_), priority_(o.priority_) {}
  ~shed_awaiter() { disarm(); }

  bool await_ready() noexcept {
    since_ = loop_->about().earliest;
    return try_locked();
  }
  suspension start(waiter& w) noexcept {
    since_ = loop_->now();
    const suspension s = primitive_leaf::start(w);
    if (waits_) loop_->add_timer(*this);  // it may have a place by now: await_resume() disarms
    return s;
  }
  [[nodiscard]] result<shed_permit> await_resume() noexcept {
    this->end();
    disarm();
    if (why_ != shed_object::refusal::none) [[unlikely]]
      return refused();
    return shed_permit(*object_);
  }

 private:
  friend shed_object;
  friend primitive_leaf<shed_awaiter>;

  bool try_now(wake_list&) noexcept {
    shed_object& o = *object_;
    if (o.closed_) return refuse_now(shed_object::refusal::closed);
    if (o.enter(since_)) return true;
    return !o.has_room(priority_) && refuse_now(shed_object::refusal::full);
  }
  bool refuse_now(shed_object::refusal why) noexcept {
    why_ = why;
    count_refusal();
    return true;
  }
  void count_refusal() noexcept {
    load_shed_stats& s = object_->stats_;
    s.refused_full += why_ == shed_object::refusal::full;
    s.refused_late += why_ == shed_object::refusal::late;
    s.refused[static_cast<std::size_t>(priority_)] += why_ != shed_object::refusal::closed;
  }
  void joined(wake_list& wake) noexcept {
    waits_ = true;
    at = add_saturated(since_, object_->options_.interval);
    object_->count_waiter(1);
    object_->make_room(wake);
  }
  void left(wake_list&) noexcept { object_->count_waiter(-1); }
  void drop(wake_list& wake) noexcept {
    if (!granted() || why_ != shed_object::refusal::none) return;
    --object_->stats_.running;
    object_->serve(loop_->now(), wake);
  }
  void on_time() noexcept override {
    wake_section section(*object_);
    if (!parked().linked()) return;  // granted, refused or stopped at this instant
    static_cast<void>(object_->codel_.waited(at - since_, at));
    object_->refuse(parked(), shed_object::refusal::late, section.wake);
  }
  void disarm() noexcept {
    if (armed) loop_->cancel_timer(*this);
  }
  PENSTOCK_NOINLINE tl::unexpected<error> refused() const noexcept {
    if (why_ == shed_object::refusal::closed) return fail(errc::closed, object_->name());
    const bool full = why_ == shed_object::refusal::full;
    return fail(errc::overloaded, object_->name(), full ? "the queue is full" : "waited too long");
  }
  shed_object& lock() noexcept { return *object_; }
  waiter_list& list() noexcept { return object_->queues_[static_cast<std::size_t>(priority_)]; }
  const char* what() const noexcept { return object_->name(); }
  const void* object() const noexcept { return object_; }

  shed_object* object_;
  scheduler* loop_;
  time_point since_{};
  shed_priority priority_;
  bool waits_ = false;  // it is, or was, in the list
  shed_object::refusal why_ = shed_object::refusal::none;
};

// Takes the oldest of the most important ones, as long as there are places.
inline void shed_object::serve(time_point now, wake_list& wake) noexcept {
  for (waiter_list& queue : queues_) {
    while (parked_leaf* const first = queue.front()) {
      if (stats_.running >= options_.running) return;
      if (!codel_.waited(now - shed_awaiter::owner_of(*first).since_, now)) {
        refuse(*first, refusal::late, wake);
        continue;
      }
      queue.erase(*first);
      count_waiter(-1);
      ++stats_.running;
      ++stats_.admitted;
      ++stats_.waited;
      wake.push(*first);
    }
  }
}

// The last of the least important ones goes, when there are too many.
inline void shed_object::make_room(wake_list& wake) noexcept {
  if (waiting_.load(memory_order_relaxed) <= options_.waiting) return;
  for (std::size_t i = priorities; i-- > 0;)
    if (parked_leaf* const last = queues_[i].back()) return refuse(*last, refusal::full, wake);
}

inline void shed_object::refuse(parked_leaf& leaf, refusal why, wake_list& wake) noexcept {
  shed_awaiter& one = shed_awaiter::owner_of(leaf);
  one.list().erase(leaf);
  count_waiter(-1);
  one.why_ = why;
  one.count_refusal();
  wake.push(leaf);
}

inline void shed_object::close() noexcept {
  wake_section section(*this);
  closed_ = true;
  for (waiter_list& queue : queues_)
    while (parked_leaf* const first = queue.front()) refuse(*first, refusal::closed, section.wake);
}

}  // namespace penstock::detail
