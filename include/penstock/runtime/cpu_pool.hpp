// penstock/runtime/cpu_pool.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The threads for blocking and for CPU-heavy work: what `offload` runs on, and files where there
/// is no io_uring. Tasks use `offload`; this is its engine.

#include <penstock/base/assert.hpp>
#include <penstock/base/log.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/runtime/detail/futex.hpp>
#include <penstock/runtime/detail/job_queue.hpp>

#include <pthread.h>
#include <signal.h>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace penstock {

/// A bounded set of threads that are started when they are needed.
///
/// **Shape.** jobs -> queue (many producers, many consumers) -> threads, at most size().
/// **Ordering.** none between jobs: their order is that of one submitting thread, roughly.
/// **Thread-safety.** submit() from any thread.
/// **Complexity.** a submit is the queue's enqueue and one atomic increment, and a system call only
/// when a thread sleeps or has to be started. A thread without work sleeps and never wakes up.
/// **Lifetime.** all jobs must be over when it is destroyed: it joins its threads.
class cpu_pool {
 public:
  /// What a thread runs: `run(what, where)`.
  using function = void (*)(void* what, void* where) noexcept;

  explicit cpu_pool(unsigned threads) : size_(threads) {
    PENSTOCK_ASSERT(threads > 0, "a pool needs a thread");
    threads_.reserve(threads);
  }
  cpu_pool(const cpu_pool&) = delete;
  cpu_pool& operator=(const cpu_pool&) = delete;
  ~cpu_pool() {
    full_.store(true, detail::memory_order_relaxed);
    for (std::size_t i = 0; i < threads_.size(); ++i) submit(nullptr, nullptr, nullptr);
    for (auto& t : threads_) t.join();
  }

  /// How many threads it may have.
  [[nodiscard]] unsigned size() const noexcept { return size_; }
  /// How many it has.
  [[nodiscard]] std::size_t started() noexcept {
    const std::lock_guard lock(mutex_);
    return threads_.size();
  }

  void submit(detail::offload_item& item) {
    submit([](void* what, void*) noexcept { static_cast<detail::offload_item*>(what)->run(); },
           &item, nullptr);
  }
  void submit(function run, void* what, void* where) {
    if (!queue_.enqueue({run, what, where})) [[unlikely]] {  // memory is out: here, then
      if (run) run(what, where);
      return;
    }
    // Pairs with the decrement in next(): each job is announced once, and taken by whoever took its
    // announcement.
    if (announced_.fetch_add(1, detail::memory_order_acq_rel) < 0) {
      wakes_.fetch_add(1, detail::memory_order_release);
      detail::futex_wake(wakes_, 1);
    } else if (!full_.load(detail::memory_order_relaxed)) {
      start_thread();
    }
  }

 private:
  struct job {
    function run;
    void* what;
    void* where;
  };

  void serve() noexcept {
    for (;;) {
      const job j = next();
      if (!j.run) return;
      j.run(j.what, j.where);
    }
  }
  job next() noexcept {
    if (announced_.fetch_sub(1, detail::memory_order_acq_rel) <= 0) sleep();
    job j{};
    detail::spin_wait waiting;
    while (!queue_.try_dequeue(j)) waiting.once();  // announced: it is there
    return j;
  }
  // Takes one wake.
  void sleep() noexcept {
    std::uint32_t n = wakes_.load(detail::memory_order_relaxed);
    for (;;) {
      if (n == 0) {
        detail::futex_wait(wakes_, 0);
        n = wakes_.load(detail::memory_order_relaxed);
      } else if (wakes_.compare_exchange_weak(n, n - 1, detail::memory_order_acquire,
                                              detail::memory_order_relaxed)) {
        return;
      }
    }
  }
  // All threads are busy: one more, if there may be. Signals are for the program's own threads.
  PENSTOCK_NOINLINE void start_thread() {
    const std::lock_guard lock(mutex_);
    if (threads_.size() == size_) return;
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      threads_.emplace_back([this] {
        ::pthread_setname_np(::pthread_self(), "penstock-cpu");
        serve();
      });
    } catch (const std::exception&) {  // system_error, bad_alloc
      if (threads_.empty()) detail::stop_program("the cpu pool cannot start a thread");
      full_.store(true, detail::memory_order_relaxed);
      log(log_level::warning, "the cpu pool cannot start another thread");
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (threads_.size() == size_) full_.store(true, detail::memory_order_relaxed);
  }

  const unsigned size_;
  detail::job_queue<job> queue_;
  // Jobs announced and not yet claimed; negative: that many threads sleep or are about to.
  detail::atomic<std::int64_t> announced_{0};
  detail::atomic<std::uint32_t> wakes_{0};  // given to sleepers and not yet taken
  detail::atomic<bool> full_{false};        // no more threads
  std::mutex mutex_;
  std::vector<std::thread> threads_;  // guarded by mutex_
};

}  // namespace penstock
