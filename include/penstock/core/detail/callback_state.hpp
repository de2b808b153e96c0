// penstock/core/detail/callback_state.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a from_callback and the copies of its callback share: the value, and who claimed the end.

#include <penstock/base/result.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/core/awaitable.hpp>
#include <penstock/core/environment.hpp>
#include <penstock/core/frame_allocator.hpp>
#include <penstock/core/scheduler.hpp>

#include <mutex>
#include <new>
#include <optional>
#include <utility>

namespace penstock::detail {
struct no_cancel {};
template <class T, class Fn, class Cancel>
class from_callback_awaiter;

// How the handles ended, if they did.
enum class callback_end : unsigned char { none, called, dropped };

// Lives until the awaiter and all handles are gone. Its memory is recycled as that of frames is.
template <class T>
class callback_state {
 public:
  static void* operator new(std::size_t n) { return frame_allocate(n); }
  static void operator delete(void* p, std::size_t n) noexcept { frame_free(p, n); }
  // What is aligned to more than a frame.
  static void* operator new(std::size_t n, std::align_val_t a) { return ::operator new(n, a); }
  static void operator delete(void* p, std::size_t n, std::align_val_t a) noexcept {
    ::operator delete(p, n, a);
  }

  // The first handle, by the awaiter.
  void open() noexcept {
    owners_.fetch_add(1, memory_order_relaxed);
    add_handle();
  }
  // Handles, on any thread.
  void add_handle() noexcept { handles_.fetch_add(1, memory_order_relaxed); }
  void drop_handle() noexcept {
    if (handles_.fetch_sub(1, memory_order_acq_rel) != 1) return;
    if (!called_.load(memory_order_relaxed)) end(callback_end::dropped);
    drop();
  }
  template <class... V>
  void call(V&&... value) {
    [[maybe_unused]] const bool again = called_.exchange(true, memory_order_relaxed);
    PENSTOCK_ASSERT(!again, "a callback is called once");
    try {
      value_.emplace(std::forward<V>(value)...);
    } catch (...) {
      called_.store(false, memory_order_relaxed);
      throw;
    }
    end(callback_end::called);
  }

  // The awaiter, on its loop. False: it is over already.
  bool park(waiter& w) noexcept {
    const std::lock_guard lock(lock_);
    if (end_ != callback_end::none) return false;
    who_ = &w;
    return true;
  }
  // A stop that nobody can be told of: an end without a call is a stop from now on.
  void expect_stop() noexcept {
    const std::lock_guard lock(lock_);
    stopping_ = true;
  }
  // What comes later does nothing. True: it came first.
  bool abandon() noexcept {
    const std::lock_guard lock(lock_);
    return detail::taken(who_) != nullptr;
  }
  // The end does not post the waiter before let_go(). False: it has.
  bool hold() noexcept {
    const std::lock_guard lock(lock_);
    held_ = detail::taken(who_);
    return held_ != nullptr;
  }
  bool is_waiting() noexcept {
    const std::lock_guard lock(lock_);
    return end_ == callback_end::none;
  }
  // After hold(): how it has ended; if it has not, the end posts the waiter. It was asked to stop.
  callback_end let_go() noexcept {
    const std::lock_guard lock(lock_);
    stopping_ = true;
    if (end_ == callback_end::none) who_ = held_;
    return end_;
  }
  as_result_t<T> take() {
    if (end_ == callback_end::dropped) return fail(errc::closed, "from_callback", "no call");
    return std::move(*value_);
  }
  // By the awaiter, and by the last handle.
  void drop() noexcept {
    if (owners_.fetch_sub(1, memory_order_acq_rel) == 1) delete this;
  }

 private:
  void end(callback_end how) noexcept {
    waiter* who = nullptr;
    bool stopped = false;
    {
      const std::lock_guard lock(lock_);
      end_ = how;
      who = detail::taken(who_);
      stopped = stopping_ && how == callback_end::dropped;
    }
    if (!who) return;
    auto& home = *who->env->sched;
    if (stopped)
      home.post_stopped(*who);
    else
      home.post(*who);
  }

  std::optional<as_result_t<T>> value_;  // written by the one call, read after it ended
  atomic<std::size_t> handles_{0};
  atomic<int> owners_{1};  // the awaiter, and all handles together
  atomic<bool> called_{false};
  spin_lock lock_;
  callback_end end_ = callback_end::none;  // these are guarded by lock_
  waiter* who_ = nullptr;                  // to be posted at the end
  waiter* held_ = nullptr;
  bool stopping_ = false;
};

}  // namespace penstock::detail
