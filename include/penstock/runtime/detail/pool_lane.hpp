// penstock/runtime/detail/pool_lane.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a driver has operations executed on the cpu pool and gets them back: file operations of the
/// reactor, and those that an older kernel's io_uring does not know.

#include <penstock/runtime/cpu_pool.hpp>
#include <penstock/runtime/detail/file_calls.hpp>
#include <penstock/runtime/detail/wake_event.hpp>

namespace penstock::detail {

// Belongs to a driver; all but finish() on its loop's thread.
class pool_lane {
 public:
  pool_lane(cpu_pool& pool, const wake_event& wake) noexcept : pool_(pool), wake_(wake) {}
  pool_lane(const pool_lane&) = delete;
  pool_lane& operator=(const pool_lane&) = delete;
  // A thread of the pool may still be on its way out of finish().
  ~pool_lane() {
    spin_wait waiting;
    while (outside_.load(memory_order_acquire) != 0) waiting.once();
  }

  void submit(operation& op) {
    outside_.fetch_add(1, memory_order_relaxed);
    op.in_pool = true;
    op.stage.store(operation_stage::queued, memory_order_relaxed);
    pool_.submit(&run, &op, this);
  }
  // Still queued, it comes back with -ECANCELED when its turn comes; else as it ends.
  static void cancel(operation& op) noexcept {
    auto expected = operation_stage::queued;
    op.stage.compare_exchange_strong(expected, operation_stage::canceled, memory_order_relaxed);
  }
  // Before the driver sleeps. False: something is back, do not sleep.
  bool prepare_sleep() noexcept {
    operation* none = nullptr;
    return done_.compare_exchange_strong(none, asleep(), memory_order_seq_cst);
  }
  // After that: as if it had not been called.
  void woke_up() noexcept {
    operation* sleeping = asleep();
    done_.compare_exchange_strong(sleeping, nullptr, memory_order_relaxed);
  }
  // What is back, linked by next, first come first.
  operation* take() noexcept {
    if (done_.load(memory_order_relaxed) == nullptr) return nullptr;
    operation* list = done_.exchange(nullptr, memory_order_acquire);
    operation* in_order = nullptr;
    while (list) {
      operation* const older = list->next;
      list->next = in_order;
      list->in_pool = false;
      in_order = list;
      list = older;
    }
    return in_order;
  }

 private:
  static void run(void* what, void* where) noexcept {
    auto& op = *static_cast<operation*>(what);
    auto expected = operation_stage::queued;
    op.answer =
        op.stage.compare_exchange_strong(expected, operation_stage::running, memory_order_relaxed)
            ? call(op)
            : -ECANCELED;
    static_cast<pool_lane*>(where)->finish(op);
  }
  void finish(operation& op) noexcept {
    operation* head = done_.load(memory_order_relaxed);
    do {
      op.next = head == asleep() ? nullptr : head;
    } while (!done_.compare_exchange_weak(head, &op, memory_order_seq_cst, memory_order_relaxed));
    if (head == asleep()) wake_.interrupt();
    outside_.fetch_sub(1, memory_order_release);  // the last touch
  }
  // In done_: empty, and the driver sleeps.
  operation* asleep() noexcept { return reinterpret_cast<operation*>(this); }

  cpu_pool& pool_;
  const wake_event& wake_;
  atomic<operation*> done_{nullptr};  // newest first; pushed by the pool, emptied by the loop
  atomic<std::uint32_t> outside_{0};  // operations that a thread of the pool has or will have
};

}  // namespace penstock::detail
