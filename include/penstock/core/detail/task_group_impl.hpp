// penstock/core/detail/task_group_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of task_group that are not on the fast path.

#include <penstock/base/log.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/core/task_group.hpp>

#include <string>

namespace penstock {

template <class Result>
Result validate(const group_options& o) {
  if (o.grace.count() < 0) {
    return fail(errc::invalid_option, "group_options", "grace must not be negative");
  }
  return {};
}

inline void task_group::open(waiter& up, const group_options& o, void* owner,
                             finish_function finish) noexcept {
  options_ = o;
  plain_ = o.max_running == 0;
  owner_ = owner;
  finish_ = finish;
  parent = &up;
  env_ = *up.env;
  env_.stop = &link_.own;
  env = &env_;
  hooked = this;
}

inline void task_group::request_stop() noexcept {
  if (scheduler::current() == env_.sched)
    link_.own.request_stop(stop_reason::requested);
  else
    remote_.request(*env_.sched, env_, *this);
}

inline detail::step detail::remote_stop::done(waiter&, waiter*) noexcept {
  arrived_ = true;
  group_->link_.own.request_stop(stop_reason::requested);
  if (group_->size() == 0) return group_->close();  // it waited for this one only
  return {};
}

PENSTOCK_NOINLINE inline void task_group::note_failure(const detail::promise_base& child) noexcept {
  if (child.state == detail::outcome::exception) {
    fail(const_cast<detail::promise_base&>(child).exception());
    return;
  }
  child.assert_ended();
  if (env_.services == this) {
    log_failure(child);
    return;
  }
  if (!failed_) error_ = child.error();
  failed_ = true;
  if (options_.on_error == on_error::stop_siblings) {
    link_.own.request_stop(stop_reason::sibling_failed);
  }
}
// Nobody takes the error of a background task. One that was stopped and says so ends as it should.
inline void task_group::log_failure(const detail::promise_base& child) const noexcept {
  const error& e = child.error();
  if (stop_requested() && e == errc::canceled) return;
  if (!log_enabled(log_level::warning)) return;
  try {
    log(log_level::warning, e.with("background task", child.env->name).message());
  } catch (const std::bad_alloc&) {
    log(log_level::warning, "a background task failed");
  }
}
inline void task_group::fail(std::exception_ptr e) noexcept {
  if (!failed_) exception_ = std::move(e);
  failed_ = true;
  if (options_.on_error == on_error::stop_siblings) {
    link_.own.request_stop(stop_reason::sibling_failed);
  }
}

PENSTOCK_NOINLINE inline detail::step task_group::close() noexcept {
  plain_ = false;
  if (remote_.in_flight()) return {};
  return finish_(owner_);
}

inline bool task_group::take_slot(detail::promise_base& child) noexcept {
  if (running_ == options_.max_running || !waiting_.empty()) return false;
  ++running_;
  env_.sched->post(child);
  return true;
}
inline detail::started task_group::begin_special(detail::promise_base& child) noexcept {
  ++told_;
  if (options_.max_running == 0) {
    // All had ended while a foreign request_stop() was on its way: this one closes.
    plain_ = true;
    env_.sched->post_here(child);
    return {};
  }
  if (take_slot(child)) return {};
  return detail::started(*this, child);
}
inline void task_group::slot_free() noexcept {
  if (auto* const w = waiting_.pop_front()) {
    detail::scope_stop::remove(*w);
    env_.sched->post(*detail::taken(w->child_));
    w->who_->env->sched->post(*w->who_);
    return;
  }
  --running_;
}
inline void task_group::abandon(detail::promise_base& child) noexcept {
  waiter* up = child.parent;
  detail::destroy_frame(child);
  if (up != this) static_cast<detail::child_record_base*>(up)->destroy();
  // The last only when the one that awaited start() was not in the group.
  if (--told_ == 0) remote_.request_again(*env_.sched, env_, *this);
}

inline void detail::child_record_base::link() noexcept {
  parent = group_;
  env = &group_->env_;
}
inline void detail::child_record_base::link(environment& own, const char* name) noexcept {
  parent = group_;
  own = group_->env_;
  own.name = name;
  env = &own;
}
inline detail::step detail::child_record_base::done(waiter&, waiter* child) noexcept {
  task_group& g = *group_;
  g.note(static_cast<promise_base&>(*child));
  destroy_frame(*child);
  destroy();
  return g.one_ended();
}
inline detail::step detail::child_record_base::stopped(waiter&, waiter* child) noexcept {
  task_group& g = *group_;
  g.any_stopped_ = true;
  destroy_frame(*child);
  destroy();
  return g.one_ended();
}

inline detail::started::~started() {
  PENSTOCK_ASSERT(!child_, "with max_running, await group.start(...)");
}
inline detail::start_awaiter detail::started::operator co_await() && noexcept {
  return start_awaiter(group_, detail::taken(child_));
}

inline detail::start_awaiter::~start_awaiter() {
  if (!child_) return;
  if (who_) {  // destroyed while it waits
    group_->waiting_.erase(*this);
    scope_stop::remove(*this);
  }
  group_->abandon(*child_);
}
// There may be a slot by now.
inline bool detail::start_awaiter::await_ready() noexcept {
  if (child_ && group_->take_slot(*child_)) child_ = nullptr;
  return !child_;
}
inline suspension detail::start_awaiter::start(waiter& w) noexcept {
  if (!w.env->stop->try_add(*this)) return stopped_now(w);
  who_ = &w;
  group_->waiting_.push_back(*this);
  return parked();
}
inline void detail::start_awaiter::on_stop() noexcept {
  group_->waiting_.erase(*this);
  who_->env->sched->post_stopped(*who_);
  who_ = nullptr;
}
}  // namespace penstock
