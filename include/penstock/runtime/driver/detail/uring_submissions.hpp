// penstock/runtime/driver/detail/uring_submissions.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How operations and their cancellations get into the ring: as entries, or by way of a backlog
/// while the ring has no entry for them. First come, first in.

#include <penstock/runtime/detail/operation_queue.hpp>
#include <penstock/runtime/driver/detail/uring_leases.hpp>
#include <penstock/runtime/driver/detail/uring_ring.hpp>
#include <penstock/runtime/driver/detail/uring_sqe.hpp>

#include <cstdint>
#include <type_traits>

namespace penstock::detail {

class uring_submissions {
 public:
  uring_submissions(driver_stats& stats, const uring_leases& leases) noexcept
      : ring(stats), leases_(leases) {}

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
    if (s) {
      fill_cancel(*s, op);
      op.stage.store(operation_stage::canceled, memory_order_relaxed);
    } else {
      push(op, operation_stage::cancelling);
    }
  }
  // All that the kernel has, and `wake_read` by name: kernels before 5.19 know no ANY.
  void cancel_all(operation& wake_read) noexcept {
    if (auto* s = ring.entry()) {
      ::io_uring_prep_cancel64(s, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
      s->user_data = 0;
    }
    if (auto* s = ring.entry()) fill_cancel(*s, wake_read);
  }
  // False: the kernel takes nothing more at present.
  bool submit_read(operation& op) noexcept {
    io_uring_sqe* const s = ring.entry();
    if (s) fill(*s, op);
    return s != nullptr;
  }
  // Moves the backlog into the ring as far as there are entries. `end(op)`: it was canceled before.
  template <class End>
  requires std::is_invocable_v<End&, operation&>
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
        fill_cancel(*s, op);
        op.stage.store(operation_stage::canceled, memory_order_relaxed);
      } else {
        fill(*s, op);
      }
    }
  }
  // It is over: its cancellation is no more to go out.
  void drop(operation& op) noexcept { backlog_.remove(op); }
  template <class Fn>
  requires std::is_invocable_v<Fn&, operation&>
  void each_waiting(Fn fn) { backlog_.each(fn); }

  uring_ring ring;
  bool reports_copies = true;  // of zero-copy sends: since Linux 6.2

 private:
  void fill(io_uring_sqe& s, operation& op) noexcept {
    fill_sqe(s, op);
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
  static void fill_cancel(io_uring_sqe& s, operation& op) noexcept {
    ::io_uring_prep_cancel64(&s, key(op), 0);
    s.user_data = 0;
  }
  void push(operation& op, operation_stage stage) noexcept {
    op.stage.store(stage, memory_order_relaxed);
    backlog_.push(op);
  }

  const uring_leases& leases_;
  operation_queue backlog_;
};

}  // namespace penstock::detail
