// tests/model/planted.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Small primitives with a bug in each, and the same ones without: what the explorer has to find,
/// and what it must not. They wait as the library's do, by primitive_leaf, but for the one whose
/// bug is how it waits.

#include <model/atomic.hpp>

#include <model/loop.hpp>

#include <penstock/sync/detail/waiter_list.hpp>
#include <penstock/sync/thread_safe.hpp>

#include <utility>

namespace model::planted {

enum class flaw : bool { none, planted };

// A lost wakeup: whether it is set is looked at before the lock is taken, and not again under it.
template <flaw Is>
class gate {
 public:
  class waiting : public penstock::detail::primitive_leaf<waiting> {
   public:
    explicit waiting(gate& g) noexcept : gate_(&g) {}
    bool await_ready() const noexcept { return gate_->set_.load(); }
    void await_resume() noexcept { this->end(); }

   private:
    friend penstock::detail::primitive_leaf<waiting>;
    bool try_now(penstock::detail::wake_list&) noexcept {
      return Is == flaw::none && gate_->set_.load();
    }
    auto& lock() noexcept { return gate_->lock_; }
    auto& list() noexcept { return gate_->waiters_; }
    static const char* what() noexcept { return "gate"; }
    const void* object() const noexcept { return gate_; }

    gate* gate_;
  };

  waiting wait() noexcept { return waiting(*this); }
  void set() noexcept {
    penstock::detail::wake_section section(lock_);
    set_.store(true);
    while (auto* const first = waiters_.pop_front()) section.wake.push(*first);
  }

 private:
  penstock::detail::spin_lock lock_;
  penstock::detail::atomic<bool> set_{false};
  penstock::detail::waiter_list waiters_;
};

// A missed close: those who wait are told, then the mark is set; who parks in between waits on.
template <flaw Is>
class queue {
 public:
  class receiving : public penstock::detail::primitive_leaf<receiving> {
   public:
    explicit receiving(queue& q) noexcept : queue_(&q) {}
    bool await_ready() noexcept { return this->try_locked(); }
    void await_resume() noexcept { this->end(); }

   private:
    friend penstock::detail::primitive_leaf<receiving>;
    bool try_now(penstock::detail::wake_list&) noexcept { return queue_->closed_; }
    auto& lock() noexcept { return queue_->lock_; }
    auto& list() noexcept { return queue_->receivers_; }
    static const char* what() noexcept { return "queue"; }
    const void* object() const noexcept { return queue_; }

    queue* queue_;
  };

  receiving receive() noexcept { return receiving(*this); }
  void close() noexcept {
    {
      penstock::detail::wake_section section(lock_);
      if (Is == flaw::none) closed_ = true;
      while (auto* const first = receivers_.pop_front()) section.wake.push(*first);
    }
    lock_.lock();
    closed_ = true;
    lock_.unlock();
  }

 private:
  penstock::detail::spin_lock lock_;
  bool closed_ = false;
  penstock::detail::waiter_list receivers_;
};

// A permit lost by a cancelled head: who stood behind it could go on, and is not told.
template <flaw Is>
class permits {
 public:
  class acquiring : public penstock::detail::primitive_leaf<acquiring> {
   public:
    acquiring(permits& p, int n) noexcept : permits_(&p), n_(n) {}
    bool await_ready() noexcept { return this->try_locked(); }
    void await_resume() noexcept { this->end(); }

   private:
    friend permits;
    friend penstock::detail::primitive_leaf<acquiring>;
    bool try_now(penstock::detail::wake_list&) noexcept {
      if (!permits_->waiters_.empty() || permits_->free_ < n_) return false;
      permits_->free_ -= n_;
      return true;
    }
    void left(penstock::detail::wake_list& wake) noexcept {
      if (Is == flaw::none) permits_->settle(wake);
    }
    auto& lock() noexcept { return permits_->lock_; }
    auto& list() noexcept { return permits_->waiters_; }
    static const char* what() noexcept { return "permits"; }
    const void* object() const noexcept { return permits_; }

    permits* permits_;
    int n_;
  };

  explicit permits(int n) noexcept : free_(n) {}
  acquiring acquire(int n) noexcept { return {*this, n}; }
  void release(int n) noexcept {
    penstock::detail::wake_section section(lock_);
    free_ += n;
    settle(section.wake);
  }

 private:
  void settle(penstock::detail::wake_list& wake) noexcept {
    while (auto* const first = waiters_.front()) {
      const int n = acquiring::owner_of(*first).n_;
      if (free_ < n) return;
      free_ -= n;
      wake.push(*waiters_.pop_front());
    }
  }

  penstock::detail::spin_lock lock_;
  int free_;
  penstock::detail::waiter_list waiters_;
};

// A double grant: who grants and who cancels look whether the waiter is still there, and then claim
// it, which is two steps. One waiter, which is to be handed one permit.
template <flaw Is>
class hand_over {
 public:
  // True: the permit went to the waiter; false: whoever called keeps it.
  bool grant() noexcept { return claim(granted); }
  // True: the waiter goes without.
  bool cancel() noexcept { return claim(canceled); }
  bool was_granted() const noexcept { return state_.load() == granted; }

 private:
  enum state : int { waits, granted, canceled };

  bool claim(state as) noexcept {
    state expected = waits;
    if (Is == flaw::none) return state_.compare_exchange_strong(expected, as);
    if (state_.load() != waits) return false;
    state_.store(as);
    return true;
  }

  penstock::detail::atomic<state> state_{waits};
};

}  // namespace model::planted
