// penstock/runtime/detail/signal_stop_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of signal_stop.hpp, and the handler.

#include <penstock/base/spin_lock.hpp>
#include <penstock/runtime/detail/signal_stop.hpp>

#include <signal.h>
#include <unistd.h>
#include <cerrno>

namespace penstock::detail {

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

// The lock, with the signals blocked on this thread.
class signal_lock {
 public:
  signal_lock() noexcept {
    ::sigset_t both;
    ::sigemptyset(&both);
    for (const int s : stop_signals) ::sigaddset(&both, s);
    ::pthread_sigmask(SIG_BLOCK, &both, &before_);
    signals.lock.lock();
  }
  signal_lock(const signal_lock&) = delete;
  signal_lock& operator=(const signal_lock&) = delete;
  ~signal_lock() {
    signals.lock.unlock();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  ::sigset_t before_;
};

PENSTOCK_ONCE signal_scope::signal_scope(signal_target* target) noexcept : target_(target) {
  if (!target_) return;
  const signal_lock inside;
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
PENSTOCK_ONCE signal_scope::~signal_scope() {
  if (!target_) return;
  const signal_lock inside;
  signal_target** link = &signals.targets;
  while (*link != target_) link = &(*link)->next;
  *link = target_->next;
  if (signals.targets) return;
  for (int i = 0; i < 2; ++i) ::sigaction(stop_signals[i], &signals.before[i], nullptr);
}

}  // namespace penstock::detail
