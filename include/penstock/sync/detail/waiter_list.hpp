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

#include <new>
#include <type_traits>

namespace penstock::detail {

// What every leaf of a primitive begins with: 48 bytes. `node_` is initialised only while it waits.
struct leaf_storage {
  alignas(void*) unsigned char node_[sizeof(stop_node) + sizeof(list_node)];
  waiter* who_;  // from start() until await_resume(), a stop or the end; else null
};

// What a primitive knows of one that waits: lives in a leaf_storage.
class parked_leaf : public stop_node, public list_node {
 public:
  leaf_storage& storage() noexcept {
    static_assert(std::is_standard_layout_v<leaf_storage>);
    return *reinterpret_cast<leaf_storage*>(this);
  }
  waiter& who() noexcept { return *storage().who_; }

 protected:
  parked_leaf() noexcept = default;
  ~parked_leaf() = default;
};

using waiter_list = intrusive_list<parked_leaf>;

// Leaves that were granted, to be posted without the lock. Linked through `next` alone: they are
// linked() no more.
class wake_list {
 public:
  void push(parked_leaf& leaf) noexcept {
    (last_ ? last_->next : first_) = &leaf;
    last_ = &leaf;
  }
  // A leaf is gone as soon as it is posted. The last one's `next` is not read: taken out of its
  // list just now, it was written in one wide store, which a narrow load has to wait for.
  void post_all() noexcept {
    while (first_) {
      auto* const leaf = static_cast<parked_leaf*>(first_);
      first_ = leaf == last_ ? nullptr : leaf->next;
      waiter& who = leaf->who();
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

// The leaf of all primitives. Until it has to wait one word of it is initialised: an operation that
// completes at once pays for no more. Derived has
//   const char* what() const;          "event::wait", for dumps
//   const void* object() const;        the primitive, for dumps
//   Lock& lock();
//   waiter_list& list();
//   bool try_now(wake_list&);          under the lock: completes, or false: it has to wait
// and may have, all under the lock,
//   void joined(wake_list&);           it was put into the list
//   void left(wake_list&);             a stop took it out
//   void drop(wake_list&);             what it was given, or has claimed, is not used
template <class Derived>
class primitive_leaf : leaf_storage, public leaf<Derived> {
 public:
  suspension start(waiter& w) noexcept {
    switch (park(w, stop_requested(w))) {
      case how::done:
        return resume_now(w);
      case how::stopped:
        return stopped_now(w);
      case how::parked:
        break;
    }
    // It may be granted already; its waiter does not run before this turn is over.
    w.env->stop->add(parked());
    return penstock::parked();
  }
  void joined(wake_list&) noexcept {}
  void left(wake_list&) noexcept {}
  void drop(wake_list&) noexcept {}

 protected:
  primitive_leaf() noexcept { who_ = nullptr; }
  primitive_leaf(primitive_leaf&&) noexcept : primitive_leaf() {}  // before it is awaited
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
    scope_stop::remove(parked());
    who_ = nullptr;
  }
  // For one that waits for several at once, under the lock: into the list, without a stop of its
  // own.
  void join_for(waiter& w) noexcept {
    who_ = &w;
    self().list().push_back(*::new (static_cast<void*>(node_)) parked_node);
  }
  // The same, out of the list, if it is in it still.
  void leave_list() noexcept {
    if (parked().linked()) self().list().erase(parked());
    who_ = nullptr;
  }
  // In drop(): it was granted, rather than stopped before it waited.
  [[nodiscard]] bool granted() const noexcept { return who_ != nullptr; }
  // While it is in the list, or has just been taken out.
  parked_leaf& parked() noexcept { return *std::launder(reinterpret_cast<parked_node*>(node_)); }
  static Derived& owner_of(parked_leaf& leaf) noexcept {
    return static_cast<Derived&>(static_cast<primitive_leaf&>(leaf.storage()));
  }

 private:
  class parked_node final : public parked_leaf {
    void on_stop() noexcept override { owner_of(*this).stop(); }
    wait_info info() const noexcept override {
      auto& self = const_cast<parked_node&>(*this);
      return {owner_of(self).what(), owner_of(self).object(), &self.who()};
    }
  };
  static_assert(sizeof(parked_node) == sizeof(node_));
  enum class how : unsigned char { done, parked, stopped };

  Derived& self() noexcept { return static_cast<Derived&>(*this); }

  how park(waiter& w, bool stopping) noexcept {
    wake_section section(self().lock());
    if (self().try_now(section.wake)) return how::done;
    if (stopping) [[unlikely]] {
      self().drop(section.wake);
      return how::stopped;
    }
    who_ = &w;
    self().list().push_back(*::new (static_cast<void*>(node_)) parked_node);
    self().joined(section.wake);
    return how::parked;
  }
  // The waiter's stop.
  void stop() noexcept {
    waiter& who = *who_;
    {
      wake_section section(self().lock());
      if (!parked().linked()) return;  // granted: the result is delivered
      self().list().erase(parked());
      self().left(section.wake);
      who_ = nullptr;
    }
    who.env->sched->post_stopped(who);
  }
  // Its coroutine is destroyed while it waits.
  PENSTOCK_NOINLINE void abandon() noexcept {
    scope_stop::remove(parked());
    wake_section section(self().lock());
    if (parked().linked()) {
      self().list().erase(parked());
      self().left(section.wake);
    } else {
      self().drop(section.wake);
    }
  }
};

}  // namespace penstock::detail
