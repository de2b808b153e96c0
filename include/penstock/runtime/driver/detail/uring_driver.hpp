// penstock/runtime/driver/detail/uring_driver.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The driver on io_uring: what becomes of an operation, from submit() to its completions.

#include <penstock/base/taken.hpp>
#include <penstock/runtime/cpu_pool.hpp>
#include <penstock/runtime/detail/pool_lane.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/driver/detail/uring_held.hpp>
#include <penstock/runtime/driver/detail/uring_leases.hpp>
#include <penstock/runtime/driver/detail/uring_submissions.hpp>

namespace penstock::detail {

class uring_driver final : public driver {
 public:
  explicit uring_driver(cpu_pool& pool, const driver_options& o = {})
      : options_(o), queue_(stats_, leases_), lane_(pool, wake_) {}
  ~uring_driver() override { leave(); }

  // The negative errno, or 0.
  int start() noexcept {
    if (wake_.why_not() != 0) return -wake_.why_not();
    if (const int r = ring().start(); r < 0) return r;
    known_ = kinds_known(ring().raw());
    return (known_ & kinds_needed) == kinds_needed ? 0 : -EOPNOTSUPP;
  }

  // As an older kernel: all goes through the pool. For tests.
  void forget_all_kinds() noexcept { known_ = 0; }

  std::string_view name() const noexcept override { return "uring"; }
  bool supports(operation_kind k) const noexcept override {
    return k != operation_kind::send_zero_copy || knows(k);
  }

  bool submit(operation& op) noexcept override {
    if (closing_) [[unlikely]] {
      op.answer = -ECANCELED;
      if (op.kind == operation_kind::send_zero_copy) release(op, -ECANCELED);
      return true;
    }
    if (op.kind == operation_kind::receive_lease && !leases_.made()) [[unlikely]] {
      if (!make_leases(op)) return true;
    }
    ++in_flight_;
    ++stats_.submitted;
    if (!knows(op.kind)) [[unlikely]]
      lane_.submit(op);
    else
      queue_.submit(op);
    return false;
  }

  void cancel(operation& op) noexcept override {
    if (op.in_pool) return pool_lane::cancel(op);
    const auto stage = op.stage.load(memory_order_relaxed);
    if (stage == operation_stage::queued) {
      cancel_queued(op);
    } else if (stage == operation_stage::running) {
      if (op.kind == operation_kind::receive_lease) let_go_ = true;
      queue_.cancel(op);
    }
  }

  void cancel_answered(const io_uring_cqe& c) noexcept {
    const operation* const again = queue_.cancel_answered(c);
    if (again && again->kind == operation_kind::receive_lease) let_go_ = true;
  }

  // What receives on `fd`, and its cancellation, reach the kernel before the descriptor goes: the
  // next one of this number may be another loop's.
  void forget(int) noexcept override {
    if (!let_go_ || closing_) [[likely]]
      return;
    let_go_ = false;
    flush();
    ring().submit();
  }

  void wait(duration at_most) noexcept override {
    if (!entered_) [[unlikely]]
      enter();
    let_go_ = false;
    const auto completed = stats_.completed;
    flush();
    queue_.let_go_of_memory();
    if (leases_.made()) serve_leases();
    // What ended there is ready by now.
    const bool sleeps = at_most > duration::zero() && !queue_.has_backlog() &&
                        stats_.completed == completed && !leases_.can_feed() &&
                        !ring().has_completions();
    if (sleeps && lane_.prepare_sleep()) {
      if (!wake_armed_) arm_wake();
      ring().submit_and_sleep(at_most);
      lane_.woke_up();
    } else {
      ring().submit_and_look();
    }
    reap();
  }

  void wake() noexcept override { wake_.wake(); }
  void interrupt() noexcept override { wake_.interrupt(); }

  void leave() noexcept override {
    if (!entered_) return;
    closing_ = true;
    queue_.cancel_all(wake_read_);
    const auto cancel = [this](operation& op) { cancel_queued(op); };
    queue_.each_waiting(cancel);
    leases_.each_starving(cancel);
    while (in_flight_ != 0 || wake_armed_) {
      if (only_held()) end_held();
      if (in_flight_ == 0 && !wake_armed_) break;
      wait(std::chrono::milliseconds(100));
      // A cancellation can miss what is on its way to the poll list or from it: asked again.
      if (in_flight_ != 0 || wake_armed_) queue_.cancel_all(wake_read_);
    }
    queue_.let_go_of_memory();
    if (leases_.made()) leases_.store().unbind();
    ring().unbind();
    entered_ = closing_ = false;
  }

 private:
  uring_ring& ring() noexcept { return queue_.ring; }
  bool knows(operation_kind k) const noexcept { return (known_ & bit_of(k)) != 0; }

  PENSTOCK_NOINLINE void enter() noexcept {
    entered_ = true;
    ring().bind();
    if (leases_.made()) leases_.store().bind();
    arm_wake();
  }
  void arm_wake() noexcept {
    if (closing_) return;
    wake_read_.fd = wake_.fd();
    wake_read_.address = &wake_value_;
    wake_read_.length = sizeof wake_value_;
    wake_read_.offset = operation::at_position;
    if (queue_.submit_read(wake_read_)) wake_armed_ = true;
  }
  void woken(std::int32_t result) noexcept {
    wake_armed_ = false;
    if (result > 0) wakes_seen_ += wake_event::counted(wake_value_);
    arm_wake();
  }

  void cancel_queued(operation& op) noexcept {
    if (op.stage.load(memory_order_relaxed) != operation_stage::queued) return;
    op.stage.store(operation_stage::canceled, memory_order_relaxed);
    canceled_ = true;
  }
  void flush() noexcept {
    queue_.flush([this](operation& op) {
      if (op.kind == operation_kind::send_zero_copy) release(op, -ECANCELED);
      finish(op, -ECANCELED);
    });
  }

  void reap() noexcept {
    ring().reap([this](const io_uring_cqe& c) {
      if (uring_cancels::is_one(c.user_data)) [[unlikely]]
        return cancel_answered(c);
      operation& op = *reinterpret_cast<operation*>(c.user_data);
      if (op.kind < operation_kind::send_zero_copy || op.kind == operation_kind::poll) [[likely]]
        finish(op, c.res);
      else if (op.kind == operation_kind::receive_lease)
        finish_lease(op, c);
      else
        finish_zero_copy(op, c);
    });
    for (operation* op = lane_.take(); op;) {
      operation* const following = op->next;
      finish(*op, op->answer);
      op = following;
    }
  }
  void finish(operation& op, std::int32_t result) noexcept {
    if (&op == &wake_read_) return woken(result);
    queue_.drop(op, op.stage.load(memory_order_relaxed));
    op.stage.store(operation_stage::idle, memory_order_relaxed);
    op.answer = result;
    op.more = false;
    --in_flight_;
    count(op);
    op.complete(op);
  }

  // A receive_lease may have several completions.
  void finish_lease(operation& op, const io_uring_cqe& c) noexcept {
    lease_slot* slot = nullptr;
    std::int32_t result = c.res;
    if (c.flags & IORING_CQE_F_BUFFER) {
      slot = &leases_.used(c);
      if (result <= 0) {
        leases_.store().put(*slot);
        slot = nullptr;
      }
    } else if (!leases_.in_kernel() && result > 0) {
      if (is_over(op)) return finish(op, -ECANCELED);  // its descriptor may be another one's
      ++stats_.system_calls;
      slot = leases_.receive(op.fd, result);
    }
    if (result == -ENOBUFS || result == -EAGAIN) return starve(op);
    op.other = slot;
    if (slot) op.address = slot->bytes;
    if ((c.flags & IORING_CQE_F_MORE) == 0) return finish(op, result);
    op.answer = result;
    op.more = true;
    count(op);
    op.complete(op);
  }
  // Whether its cancellation was asked for: it must not go on.
  bool is_over(operation& op) noexcept {
    const auto stage = op.stage.load(memory_order_relaxed);
    const bool runs = stage == operation_stage::queued || stage == operation_stage::running;
    if (runs && !closing_) return false;
    op.other = nullptr;
    return true;
  }
  // It goes on when there is a buffer.
  void starve(operation& op) noexcept {
    if (is_over(op)) return finish(op, -ECANCELED);
    leases_.want_more();
    ++stats_.starved;
    leases_.starve(op);
  }
  PENSTOCK_NOINLINE bool make_leases(operation& op) noexcept {
    if (!entered_) enter();
    // Multishot receive came with Linux 6.0, as zero copy did; rings of buffers before.
    op.answer = leases_.make(ring().raw(), knows(operation_kind::send_zero_copy), options_, wake_);
    op.more = false;
    op.other = nullptr;
    return op.answer == 0;
  }
  void serve_leases() noexcept {
    leases_.serve();
    if (leases_.has_starving()) [[unlikely]]
      feed();
  }
  // Starving operations go on when there is a buffer: all of them, for those that stay idle use
  // none, and those that come too late starve again. Canceled ones end.
  PENSTOCK_NOINLINE void feed() noexcept {
    const bool buffers = leases_.has_food();
    if (!buffers && !canceled_) return;
    canceled_ = false;
    leases_.feed([this, buffers](operation& op) {
      if (is_over(op))
        finish(op, -ECANCELED);
      else if (buffers)
        queue_.submit(op);
      else
        return false;
      return true;
    });
  }

  // `op` is the one that waits for the bytes; its `other` the send, until that has ended.
  void finish_zero_copy(operation& op, const io_uring_cqe& c) noexcept {
    const bool more = (c.flags & IORING_CQE_F_MORE) != 0;
    if (c.flags & IORING_CQE_F_NOTIF) {
      held_.unlink(op);
      --in_flight_;
      op.answer = (static_cast<std::uint32_t>(c.res) & uring_zc_copied) ? 1 : 0;
      return op.complete(op);
    }
    operation& send = *static_cast<operation*>(op.other);
    const bool runs = send.stage.load(memory_order_relaxed) == operation_stage::running;
    if (c.res == -EINVAL && !more && detail::exchanged(queue_.reports_copies, false) && runs) {
      // Before Linux 6.2.
      --in_flight_;
      if (!submit(send)) return;
      ++in_flight_;
      return finish(send, send.answer);
    }
    if (more) {
      ++stats_.zero_copies;
      ++in_flight_;
      held_.link(op);
    } else {
      release(send, c.res < 0 ? c.res : 0);
    }
    finish(send, c.res);
  }
  // The bytes of a send that the kernel has not.
  static void release(operation& send, std::int32_t answer) noexcept {
    operation& op = *static_cast<operation*>(send.other);
    op.answer = answer;
    op.complete(op);
  }
  // Whether bytes of sends that are over are all that is in flight.
  bool only_held() const noexcept { return !held_.empty() && in_flight_ == held_.size(); }
  // Their peers have a second to take them, then the connections end.
  PENSTOCK_NOINLINE void end_held() noexcept {
    for (int i = 0; i < 10 && only_held(); ++i) wait(std::chrono::milliseconds(100));
    if (only_held()) held_.end_connections();
  }

  const driver_options options_;
  wake_event wake_;
  uring_leases leases_;  // after the ring has gone
  uring_submissions queue_;
  pool_lane lane_;
  operation wake_read_{operation_kind::read};
  std::uint64_t wake_value_ = 0;
  uring_held held_;
  std::uint32_t known_ = 0;
  bool canceled_ = false;  // one that was queued or starving
  bool let_go_ = false;    // a receive_lease was cancelled, and the kernel may not know
  bool entered_ = false;
  bool closing_ = false;
  bool wake_armed_ = false;
};

}  // namespace penstock::detail
