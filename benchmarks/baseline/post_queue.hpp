// benchmarks/baseline/post_queue.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How threads hand something to a loop: an intrusive stack that the loop takes with one exchange
/// and turns round, and an eventfd that is written to only when the loop has said that it sleeps.
/// In bursts it is several times as fast as a queue with one exchange a post (Vyukov's), whose last
/// node goes to and fro between the processors.

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace baseline {

struct post_node {
  post_node* next = nullptr;
  void (*run)(post_node&) = nullptr;
};

// Alone in its cache line.
class alignas(64) post_queue {
 public:
  post_queue() : event_(::eventfd(0, EFD_CLOEXEC)) {}
  post_queue(const post_queue&) = delete;
  post_queue& operator=(const post_queue&) = delete;
  ~post_queue() { ::close(event_); }

  /// From any thread.
  void post(post_node& n) noexcept {
    n.next = newest_.load(std::memory_order_relaxed);
    while (!newest_.compare_exchange_weak(n.next, &n, std::memory_order_seq_cst,
                                          std::memory_order_relaxed)) {
    }
    if (sleeps_.load(std::memory_order_seq_cst)) wake();
  }
  /// The loop: runs what is there, in order.
  void run_all() noexcept {
    if (!newest_.load(std::memory_order_relaxed)) return;
    post_node* oldest = nullptr;
    for (post_node* n = newest_.exchange(nullptr, std::memory_order_acquire); n;) {
      post_node* const older = n->next;
      n->next = oldest;
      oldest = n;
      n = older;
    }
    while (oldest) {
      post_node& n = *oldest;
      oldest = n.next;
      n.run(n);
    }
  }
  /// The loop: until there is something.
  void sleep() noexcept {
    sleeps_.store(true, std::memory_order_seq_cst);
    std::uint64_t value = 0;
    if (!newest_.load(std::memory_order_seq_cst)) {
      while (::read(event_, &value, sizeof value) < 0) {
      }
    }
    sleeps_.store(false, std::memory_order_relaxed);
  }

 private:
  void wake() noexcept {
    const std::uint64_t one = 1;
    if (!sleeps_.exchange(false, std::memory_order_seq_cst)) return;
    while (::write(event_, &one, sizeof one) < 0) {
    }
  }

  std::atomic<post_node*> newest_{nullptr};  // pushed by all, emptied by the loop
  std::atomic<bool> sleeps_{false};          // the loop, until it is woken
  int event_;
};

}  // namespace baseline
