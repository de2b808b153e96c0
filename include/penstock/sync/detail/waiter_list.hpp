// penstock/sync/detail/waiter_list.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The one way in which a primitive makes tasks wait: its list of parked leaves, and the leaf.
///
/// A leaf is in the list exactly while it waits. Whoever takes it out, under the primitive's lock,
/// has claimed it: a granter (any thread) then posts its waiter as completed, a stop (the waiter's
/// loop) as stopped. Granted leaves are posted after the lock was left, and the primitive is not
/// touched any more: what a waiter does next may be to destroy it.

#include <penstock/base/intrusive_list.hpp>
#include <penstock/core/awaitable.hpp>
#include <penstock/core/scheduler.hpp>

namespace penstock::detail {

// 48 bytes of every task that waits.
class parked_leaf : public stop_node, public list_node {
 public:
  parked_leaf() noexcept = default;
  parked_leaf(parked_leaf&&) noexcept : stop_node(), list_node() {}  // before it is awaited

 protected:
  ~parked_leaf() = default;

  // Set from start() until await_resume(), a stop or the end; read by whoever grants.
  waiter* who_ = nullptr;

 private:
  friend class wake_list;
};

using waiter_list = intrusive_list<parked_leaf>;

// Leaves that were granted, to be posted without the lock. Linked through `next` alone: they are
// linked() no more.
class wake_list {
 public:
  void push(parked_leaf& leaf) noexcept {
    leaf.next = nullptr;
    (last_ ? last_->next : first_) = &leaf;
    last_ = &leaf;
  }
  // A leaf is gone as soon as it is posted.
  void post_all() noexcept {
    while (first_) [[unlikely]] {
        auto* const leaf = static_cast<parked_leaf*>(first_);
        first_ = leaf->next;
        waiter& who = *leaf->who_;
        who.env->sched->post(who);
      }
  }

 private:
  list_node* first_ = nullptr;
  list_node* last_ = nullptr;
};

// A critical section of a primitive. At its end, without the lock, posts what it granted.
template <class Lock>
class wake_section {
 public:
  explicit wake_section(Lock& lock) noexcept : lock_(lock) { lock_.lock(); }
  wake_section(const wake_section&) = delete;
  wake_section& operator=(const wake_section&) = delete;
  ~wake_section() {
    lock_.unlock();
    wake.post_all();
  }

  wake_list wake;

 private:
  Lock& lock_;
};

// The leaf of all primitives. Derived has
//   const char* what() const;          "event::wait", for dumps
//   const void* object() const;        the primitive, for dumps
//   Lock& lock();
//   waiter_list& list();
//   bool try_now(wake_list&);          under the lock: completes, or false: it has to wait
// and may have
//   void left(wake_list&);             under the lock: a stop took it out of the list
//   void drop(wake_list&);             under the lock: granted, and nobody will take it
template <class Derived>
class primitive_leaf : public parked_leaf, public leaf<Derived> {
 public:
  suspension start(waiter& w) noexcept {
    switch (park(w, stop_requested(w))) {
      case outcome::done:
        return resume_now(w);
      case outcome::stopped:
        return stopped_now(w);
      case outcome::parked:
        break;
    }
    // It may be granted already; its waiter does not run before this turn is over.
    w.env->stop->add(*this);
    return penstock::parked();
  }
  void left(wake_list&) noexcept {}
  void drop(wake_list&) noexcept {}

 protected:
  primitive_leaf() noexcept = default;
  primitive_leaf(primitive_leaf&&) noexcept = default;
  ~primitive_leaf() {
    if (who_) [[unlikely]]
      abandon();
  }

  // For await_ready().
  bool try_locked() noexcept {
    wake_section section(self().lock());
    return self().try_now(section.wake);
  }
  // For await_resume(): nobody else knows the leaf any more.
  void end() noexcept {
    if (!who_) return;
    scope_stop::remove(*this);
    who_ = nullptr;
  }

 private:
  enum class outcome : unsigned char { done, parked, stopped };

  Derived& self() noexcept { return static_cast<Derived&>(*this); }
  const Derived& self() const noexcept { return static_cast<const Derived&>(*this); }

  outcome park(waiter& w, bool stopping) noexcept {
    wake_section section(self().lock());
    if (self().try_now(section.wake)) return outcome::done;
    if (stopping) [[unlikely]] {
      self().left(section.wake);
      return outcome::stopped;
    }
    who_ = &w;
    self().list().push_back(*this);
    return outcome::parked;
  }
  void on_stop() noexcept final {
    waiter& who = *who_;
    {
      wake_section section(self().lock());
      if (!linked()) return;  // granted: the result is delivered
      self().list().erase(*this);
      self().left(section.wake);
      who_ = nullptr;
    }
    who.env->sched->post_stopped(who);
  }
  wait_info info() const noexcept final { return {self().what(), self().object(), who_}; }
  // Its coroutine is destroyed while it waits.
  PENSTOCK_NOINLINE void abandon() noexcept {
    scope_stop::remove(*this);
    wake_section section(self().lock());
    if (linked()) {
      self().list().erase(*this);
      self().left(section.wake);
    } else {
      self().drop(section.wake);
    }
  }
};

}  // namespace penstock::detail
