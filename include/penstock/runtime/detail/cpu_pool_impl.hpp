// penstock/runtime/detail/cpu_pool_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of cpu_pool.hpp: its queue and its threads.

#include <penstock/base/assert.hpp>
#include <penstock/base/chunk_queue.hpp>
#include <penstock/base/fixed_vector.hpp>
#include <penstock/base/log.hpp>
#include <penstock/base/owned.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/runtime/cpu_pool.hpp>
#include <penstock/runtime/detail/futex.hpp>

#include <pthread.h>
#include <signal.h>
#include <mutex>
#include <new>
#include <utility>

namespace penstock {
namespace detail {

class pool_threads {
 public:
  using function = cpu_pool::function;

  explicit pool_threads(unsigned most) : most_(most), threads_(most) {
    PENSTOCK_ASSERT(most > 0, "a pool needs a thread");
  }
  pool_threads(const pool_threads&) = delete;
  pool_threads& operator=(const pool_threads&) = delete;
  ~pool_threads() {
    full_.store(true, memory_order_relaxed);
    for (std::size_t i = 0; i < threads_.size(); ++i) submit(nullptr, nullptr, nullptr);
    for (const ::pthread_t t : threads_) ::pthread_join(t, nullptr);
  }

  std::size_t started() noexcept {
    const std::lock_guard lock(mutex_);
    return threads_.size();
  }
  void submit(function run, void* what, void* where) {
    job j{run, what, where};
    bool wake = false;
    owned<chunk> more;
    for (;;) {
      {
        const std::lock_guard lock(lock_);
        if (more) more = jobs_.give(std::move(more));
        if (!jobs_.needs_chunk()) {
          jobs_.push_back(std::move(j));
          wake = sleeping_ != 0;
          if (wake) --sleeping_;
          break;
        }
      }
      more.reset(new (std::nothrow) chunk);
      if (!more) [[unlikely]] {  // memory is out: here, then
        if (run) run(what, where);
        return;
      }
    }
    if (wake) {
      wakes_.fetch_add(1, memory_order_release);
      futex_wake(wakes_, 1);
    } else if (!full_.load(memory_order_relaxed)) {
      start_thread();
    }
  }

 private:
  struct job {
    function run;
    void* what;
    void* where;
  };
  using chunk = chunk_queue<job>::chunk;

  static void* thread_main(void* self) noexcept {
    ::pthread_setname_np(::pthread_self(), "penstock-cpu");
    static_cast<pool_threads*>(self)->serve();
    return nullptr;
  }
  void serve() noexcept {
    for (;;) {
      const job j = next();
      if (!j.run) return;
      j.run(j.what, j.where);
    }
  }
  job next() noexcept {
    for (;; sleep()) {
      const std::lock_guard lock(lock_);
      if (!jobs_.empty()) {
        const job j = jobs_.front();
        jobs_.drop_front();
        return j;
      }
      ++sleeping_;
    }
  }
  // Takes one wake.
  void sleep() noexcept {
    std::uint32_t n = wakes_.load(memory_order_relaxed);
    for (;;) {
      if (n == 0) {
        futex_wait(wakes_, 0);
        n = wakes_.load(memory_order_relaxed);
      } else if (wakes_.compare_exchange_weak(n, n - 1, memory_order_acquire,
                                              memory_order_relaxed)) {
        return;
      }
    }
  }
  // All threads are busy: one more, if there may be. Signals are for the program's own threads.
  PENSTOCK_NOINLINE void start_thread() {
    const std::lock_guard lock(mutex_);
    if (threads_.size() == most_) return;
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    ::pthread_t made;
    if (::pthread_create(&made, nullptr, &pool_threads::thread_main, this) == 0) {
      threads_.emplace_back(made);
    } else {
      if (threads_.size() == 0) stop_program("the cpu pool cannot start a thread");
      full_.store(true, memory_order_relaxed);
      log(log_level::warning, "the cpu pool cannot start another thread");
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (threads_.size() == most_) full_.store(true, memory_order_relaxed);
  }

  const unsigned most_;
  spin_lock lock_;
  chunk_queue<job> jobs_;  // guarded by lock_
  unsigned sleeping_ = 0;  // guarded by lock_: threads that sleep, or are about to, and get no wake
  atomic<std::uint32_t> wakes_{0};  // given to sleepers and not yet taken
  atomic<bool> full_{false};        // no more threads
  std::mutex mutex_;
  fixed_vector<::pthread_t> threads_;  // guarded by mutex_
};
}  // namespace detail

PENSTOCK_ONCE cpu_pool::cpu_pool(unsigned threads)
    : size_(threads), threads_(new detail::pool_threads(threads)) {}
PENSTOCK_ONCE cpu_pool::~cpu_pool() { delete threads_; }
PENSTOCK_ONCE std::size_t cpu_pool::started() noexcept { return threads_->started(); }
PENSTOCK_ONCE void cpu_pool::submit(function run, void* what, void* where) {
  threads_->submit(run, what, where);
}

}  // namespace penstock
