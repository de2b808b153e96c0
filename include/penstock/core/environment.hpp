// penstock/core/environment.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a task inherits, by pointer, from the one that awaits it: scheduler, stop, deadline,
/// service scope, name, retries around; and the stop of a scope. Tasks read it through
/// this_task.hpp.

#include <penstock/base/clock.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/core/stop_token.hpp>
#include <penstock/core/waiter.hpp>

#include <cstdint>
#include <utility>

namespace penstock {
class scheduler;
class task_group;

namespace detail {
class scope_stop;

// What a task dump says of one suspended leaf or of one scope.
struct wait_info {
  const char* what = "";                   // "semaphore::acquire", "with_timeout"
  const void* object = nullptr;            // the primitive, if there is one
  const waiter* who = nullptr;             // the task that waits
  const scope_stop* inner = nullptr;       // a scope: its own stop, with what waits under it
  time_point until = (time_point::max)();  // a sleep or a deadline
};

// A suspended leaf or a nested scope, registered with the stop of its scope. Belongs to the loop of
// that scope: registering and removing need no atomic. Every suspended leaf is in some list, so the
// tree of scopes is also the list of all that waits.
class stop_node {
 public:
  // Called on the scope's loop, at most once, no longer registered: claims the leaf under its
  // primitive's lock and posts it as stopped. Never resumes, never runs user code.
  virtual void on_stop() noexcept = 0;
  virtual wait_info info() const noexcept = 0;

  stop_node() noexcept = default;
  stop_node(const stop_node&) = delete;
  stop_node& operator=(const stop_node&) = delete;

 protected:
  ~stop_node() = default;

 private:
  friend class scope_stop;
  stop_node* next_ = nullptr;
  stop_node** link_ = nullptr;  // null: not registered
};

// The stop source of a scope. request_stop(), try_add() and remove() only on the scope's loop;
// tokens and their callbacks from anywhere.
class scope_stop {
 public:
  scope_stop() noexcept = default;
  scope_stop(const scope_stop&) = delete;
  scope_stop& operator=(const scope_stop&) = delete;

  [[nodiscard]] bool stop_requested() const noexcept { return source_.stop_requested(); }
  [[nodiscard]] stop_reason reason() const noexcept { return source_.reason(); }
  [[nodiscard]] inplace_stop_token get_token() noexcept { return source_.get_token(); }

  // Inside an on_stop() it returns before what is registered here was told: the walk that calls
  // on_stop() goes on here next. So scopes in scopes are not recursion, however deep.
  bool request_stop(stop_reason why) noexcept {
    if (!source_.request_stop(why)) return false;
    pending_ = detail::taken(head_);  // what a callback adds stays: shields do
    if (!pending_) return true;
    pending_->link_ = &pending_;
    outer_ = walked_;
    walked_ = this;
    if (walking_) return true;
    walking_ = true;
    while (scope_stop* const s = walked_) {
      stop_node* const n = s->pending_;  // null: another's on_stop() removed the last
      if (n) unlink(*n);
      if (!s->pending_) walked_ = s->outer_;
      if (n) n->on_stop();
    }
    walking_ = false;
    return true;
  }
  // False: a stop was requested before. Never calls back.
  bool try_add(stop_node& n) noexcept {
    if (stop_requested()) return false;
    add(n);
    return true;
  }
  // For what cannot be stopped but must be seen in a dump.
  void add(stop_node& n) noexcept {
    n.next_ = head_;
    n.link_ = &head_;
    if (head_) head_->link_ = &n.next_;
    head_ = &n;
  }
  static void remove(stop_node& n) noexcept {
    if (n.link_) unlink(n);
  }
  template <class Fn>
  void for_each(Fn&& fn) const {
    for (auto* n = head_; n; n = n->next_) fn(*n);
  }

 private:
  static void unlink(stop_node& n) noexcept {
    *n.link_ = n.next_;
    if (n.next_) n.next_->link_ = n.link_;
    n.link_ = nullptr;
  }
  // This thread's walk: where it goes on, and whether there is one.
  static inline constinit thread_local scope_stop* walked_ = nullptr;
  static inline constinit thread_local bool walking_ = false;

  inplace_stop_source source_;
  stop_node* head_ = nullptr;
  stop_node* pending_ = nullptr;  // not yet told of the stop
  scope_stop* outer_ = nullptr;   // where the walk goes on afterwards
};
}  // namespace detail

/// What a task runs under. Scopes (`task_group`, `with_timeout`, `shield`, ...) install their own
/// copy for what runs inside them; it lives in the scope's awaiter.
struct environment {
  scheduler* sched = nullptr;                 ///< the loop that the task runs on
  detail::scope_stop* stop = nullptr;         ///< asked before a leaf suspends; never null
  time_point deadline = (time_point::max)();  ///< the earliest deadline of the scopes around
  task_group* services = nullptr;             ///< background work; `run` stops and joins it last
  const char* name = "";                      ///< for dumps; `named()` sets it
  const void* budget = nullptr;  ///< the retry budget in which this work is counted already
  std::uint32_t retries = 0;     ///< the retries around
  std::uint32_t attempt = 0;     ///< of the innermost one, counted from 1
};

namespace detail {
inline bool stop_requested(const waiter& w) noexcept { return w.env->stop->stop_requested(); }
}  // namespace detail
}  // namespace penstock
