// penstock/runtime/driver/detail/uring_submissions.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How operations and their cancellations get into the ring: as entries, or by way of a backlog
/// while the ring has no entry for them. First come, first in.

#include <penstock/runtime/detail/operation_queue.hpp>
#include <penstock/runtime/driver/detail/uring_cancels.hpp>
#include <penstock/runtime/driver/detail/uring_leases.hpp>
#include <penstock/runtime/driver/detail/uring_ring.hpp>
#include <penstock/runtime/driver/detail/uring_sqe.hpp>

#include <cerrno>
#include <cstdint>

namespace penstock::detail {

class uring_submissions {
 public:
  uring_submissions(driver_stats& stats, const uring_leases& leases) noexcept
      : ring(stats), leases_(leases), memory_(ring.raw(), stats) {}

  [[nodiscard]] bool has_backlog() const noexcept { return !backlog_.empty(); }
  void submit(operation& op) noexcept {
    io_uring_sqe* const s = has_backlog() ? nullptr : ring.entry();
    if (s) [[likely]]
      fill(*s, op);
    else
      push(op, operation_stage::queued);
  }
  // Of one that is running. After its target, which is in the queue before it or in the kernel.
  void cancel(operation& op) noexcept {
    io_uring_sqe* const s = has_backlog() ? nullptr : ring.entry();
    if (s)
      ask(*s, op);
    else
      push(op, operation_stage::cancelling);
  }
  // What the kernel said to that. A file's operation ends by itself: it is not asked for again.
  // Gives what was.
  operation* cancel_answered(const io_uring_cqe& c) noexcept {
    operation* const op = cancels_.answered(c.user_data);
    if (!op || c.res != -ENOENT || op->kind < operation_kind::connect) return nullptr;
    cancel(*op);
    return op;
  }
  // All that the kernel has, and `wake_read` by name: kernels before 5.19 know no ANY.
  void cancel_all(operation& wake_read) noexcept {
    if (auto* s = ring.entry()) {
      ::io_uring_prep_cancel64(s, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
      s->user_data = 0;
    }
    if (auto* s = ring.entry()) {
      ::io_uring_prep_cancel64(s, key(wake_read), 0);
      s->user_data = 0;
    }
  }
  // False: the kernel takes nothing more at present.
  bool submit_read(operation& op) noexcept {
    io_uring_sqe* const s = ring.entry();
    if (s) fill(*s, op);
    return s != nullptr;
  }
  // Moves the backlog into the ring as far as there are entries. `end(op)`: it was canceled before.
  template <class End>
  requires requires(End& f, operation& op) { f(op); }
  void flush(End end) noexcept {
    while (has_backlog()) {
      operation& op = *backlog_.first();
      const auto stage = op.stage.load(memory_order_relaxed);
      io_uring_sqe* s = nullptr;
      if (stage != operation_stage::canceled && !(s = ring.entry())) return;
      backlog_.pop();
      if (stage == operation_stage::canceled) {
        end(op);
      } else if (stage == operation_stage::cancelling) {
        ask(*s, op);
      } else {
        fill(*s, op);
      }
    }
  }
  void let_go_of_memory() noexcept { memory_.let_go(); }
  // It is over: its cancellation is no more to go out, or its answer is nobody's.
  void drop(operation& op, operation_stage stage) noexcept {
    if (stage == operation_stage::cancelling) backlog_.remove(op);
    if (stage == operation_stage::ending) uring_cancels::ended(op);
  }
  template <class Fn>
  requires requires(Fn& f, operation& op) { f(op); }
  void each_waiting(Fn fn) { backlog_.each(fn); }

  uring_ring ring;
  bool reports_copies = true;  // of zero-copy sends: since Linux 6.2

 private:
  void fill(io_uring_sqe& s, operation& op) noexcept {
    fill_sqe(s, op, memory_);
    if (op.kind >= operation_kind::send_zero_copy) [[unlikely]]
      fill_special(s, op);
    s.user_data = key(op);
    op.stage.store(operation_stage::running, memory_order_relaxed);
  }
  void fill_special(io_uring_sqe& s, const operation& op) const noexcept {
    if (op.kind == operation_kind::receive_lease) leases_.fill(s, op);
    if (op.kind == operation_kind::send_zero_copy && reports_copies)
      s.ioprio |= uring_zc_report_usage;
  }
  // A send_zero_copy is known to the kernel by the operation that outlives it.
  static std::uint64_t key(operation& op) noexcept {
    if (op.kind != operation_kind::send_zero_copy) [[likely]]
      return reinterpret_cast<std::uintptr_t>(&op);
    static_cast<operation*>(op.other)->other = &op;
    return reinterpret_cast<std::uintptr_t>(op.other);
  }
  void ask(io_uring_sqe& s, operation& op) noexcept {
    ::io_uring_prep_cancel64(&s, key(op), 0);
    s.user_data = cancels_.begin(op);
    op.stage.store(operation_stage::ending, memory_order_relaxed);
  }
  void push(operation& op, operation_stage stage) noexcept {
    op.stage.store(stage, memory_order_relaxed);
    backlog_.push(op);
  }

  const uring_leases& leases_;
  uring_memory memory_;
  operation_queue backlog_;
  uring_cancels cancels_;
};

}  // namespace penstock::detail
