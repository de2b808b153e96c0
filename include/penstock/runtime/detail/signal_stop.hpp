// penstock/runtime/detail/signal_stop.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// SIGINT and SIGTERM while a runtime runs: the first requests a stop, the second ends the process.

#include <penstock/base/spin_lock.hpp>

#include <signal.h>
#include <unistd.h>
#include <cerrno>

namespace penstock::detail {

// Who is told. Registered for a scope; `stop` is called in a signal handler.
class signal_target {
 public:
  virtual void stop() noexcept = 0;
  signal_target* next = nullptr;

 protected:
  ~signal_target() = default;
};

inline constexpr int stop_signals[] = {SIGINT, SIGTERM};

struct signal_state {
  spin_lock lock;  // held with the signals blocked: the handler takes it too
  signal_target* targets = nullptr;
  struct ::sigaction before[2] = {};
  atomic<int> seen{0};  // since the last target was registered
};
inline constinit signal_state signals;

extern "C" inline void penstock_stop_signal(int number) {
  const int before = errno;
  if (signals.seen.fetch_add(1, memory_order_relaxed) > 0) ::_exit(128 + number);
  signals.lock.lock();
  for (auto* t = signals.targets; t; t = t->next) t->stop();
  signals.lock.unlock();
  errno = before;
}

// Registers a target; the first one installs the handlers, the last one restores what was there.
class signal_scope {
 public:
  explicit signal_scope(signal_target* target) noexcept : target_(target) {
    if (!target_) return;
    const guarded inside;
    signals.seen.store(0, memory_order_relaxed);
    if (!signals.targets) {
      struct ::sigaction action {};
      action.sa_handler = &penstock_stop_signal;
      action.sa_flags = SA_RESTART;
      ::sigemptyset(&action.sa_mask);
      for (const int s : stop_signals) ::sigaddset(&action.sa_mask, s);
      for (int i = 0; i < 2; ++i) {
        ::sigaction(stop_signals[i], nullptr, &signals.before[i]);
        // Who started the program does not want it to be interrupted.
        if (signals.before[i].sa_handler != SIG_IGN) ::sigaction(stop_signals[i], &action, nullptr);
      }
    }
    target_->next = signals.targets;
    signals.targets = target_;
  }
  signal_scope(const signal_scope&) = delete;
  signal_scope& operator=(const signal_scope&) = delete;
  ~signal_scope() {
    if (!target_) return;
    const guarded inside;
    signal_target** link = &signals.targets;
    while (*link != target_) link = &(*link)->next;
    *link = target_->next;
    if (signals.targets) return;
    for (int i = 0; i < 2; ++i) ::sigaction(stop_signals[i], &signals.before[i], nullptr);
  }

 private:
  // The lock, with the signals blocked on this thread.
  class guarded {
   public:
    guarded() noexcept {
      ::sigset_t both;
      ::sigemptyset(&both);
      for (const int s : stop_signals) ::sigaddset(&both, s);
      ::pthread_sigmask(SIG_BLOCK, &both, &before_);
      signals.lock.lock();
    }
    guarded(const guarded&) = delete;
    guarded& operator=(const guarded&) = delete;
    ~guarded() {
      signals.lock.unlock();
      ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

   private:
    ::sigset_t before_;
  };
  signal_target* target_;
};

}  // namespace penstock::detail
