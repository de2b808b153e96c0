// penstock/runtime/driver/uring.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The driver on io_uring: one ring a loop, single issuer, task work deferred to the wait.

#include <penstock/base/log.hpp>
#include <penstock/runtime/cpu_pool.hpp>  // before liburing, whose BLOCK_SIZE breaks its queue
#include <penstock/runtime/detail/pool_lane.hpp>
#include <penstock/runtime/detail/uring_reason.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/driver/detail/uring_leases.hpp>
#include <penstock/runtime/driver/detail/uring_sqe.hpp>

#include <memory>

namespace penstock {
namespace detail {

// Orders the lives of rings: the kernel reuses a ring's addresses, which ThreadSanitizer, not
// seeing liburing's mmap, takes for a race. Written by every ring's beginning and end.
inline constinit atomic<unsigned> ring_lives{0};

class uring_driver final : public driver {
 public:
  explicit uring_driver(cpu_pool& pool, const driver_options& o = {})
      : options_(o), lane_(pool, wake_) {}
  ~uring_driver() override {
    if (!ring_made_) return;
    leave();
    ::io_uring_queue_exit(&ring_);
    ring_lives.fetch_add(1, memory_order_acq_rel);
  }

  // Makes the ring and sees a no-op through it. The negative errno, or 0.
  int start() noexcept {
    if (wake_.why_not() != 0) return -wake_.why_not();
    constexpr unsigned wanted[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
            IORING_SETUP_SUBMIT_ALL,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL, 0};
    int r = -EINVAL;
    for (const unsigned flags : wanted) {
      ring_lives.fetch_add(1, memory_order_acq_rel);
      io_uring_params p{};
      p.flags = flags | IORING_SETUP_CQSIZE;
      p.cq_entries = cq_entries;
      r = ::io_uring_queue_init_params(sq_entries, &ring_, &p);
      if (r != -EINVAL) break;
    }
    if (r < 0) return r;
    ring_made_ = true;
    if (!(ring_.features & IORING_FEAT_NODROP)) return -EINVAL;
    r = try_nop();
    if (r == 0) known_ = kinds_known(ring_);
    return r;
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
    if (!knows(op.kind)) [[unlikely]] {
      lane_.submit(op);
      return false;
    }
    io_uring_sqe* const s = backlog_ ? nullptr : entry();
    if (s) [[likely]] {
      fill(*s, op);
    } else {
      push_backlog(op, operation_stage::queued);
    }
    return false;
  }

  void cancel(operation& op) noexcept override {
    if (op.in_pool) return pool_lane::cancel(op);
    const auto stage = op.stage.load(memory_order_relaxed);
    if (stage == operation_stage::queued) {
      cancel_queued(op);
    } else if (stage == operation_stage::running) {
      // After its target, which is in the queue before it or in the kernel.
      if (op.kind == operation_kind::receive_lease) let_go_ = true;
      io_uring_sqe* const s = backlog_ ? nullptr : entry();
      if (s) {
        fill_cancel(*s, op);
        op.stage.store(operation_stage::canceled, memory_order_relaxed);
      } else {
        push_backlog(op, operation_stage::cancelling);
      }
    }
  }

  // What receives on `fd`, and its cancellation, reach the kernel before the descriptor goes: the
  // next one of this number may be another loop's.
  void forget(int) noexcept override {
    if (!let_go_ || closing_) [[likely]]
      return;
    let_go_ = false;
    flush_backlog();
    ++stats_.system_calls;
    check(::io_uring_submit(&ring_));
  }

  void wait(duration at_most) noexcept override {
    if (!entered_) [[unlikely]]
      enter();
    let_go_ = false;
    const auto completed = stats_.completed;
    flush_backlog();
    if (leases_.made()) serve_leases();
    // What ended there is ready by now.
    const bool sleeps = at_most > duration::zero() && !backlog_ && stats_.completed == completed &&
                        !(starving_ && leases_.store().has_returned()) &&
                        ::io_uring_cq_ready(&ring_) == 0;
    if (sleeps && lane_.prepare_sleep()) {
      sleep(at_most);
      lane_.woke_up();
    } else if (::io_uring_sq_ready(&ring_) != 0 || kernel_asks()) {
      ++stats_.system_calls;
      check(::io_uring_submit_and_get_events(&ring_));
    }
    reap();
  }

  void wake() noexcept override { wake_.wake(); }
  void interrupt() noexcept override { wake_.interrupt(); }

  void leave() noexcept override {
    if (!entered_) return;
    closing_ = true;
    if (auto* s = entry()) {
      ::io_uring_prep_cancel64(s, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
      s->user_data = 0;
    }
    if (auto* s = entry()) fill_cancel(*s, wake_read_);  // kernels before 5.19 know no ANY
    for (operation* const list : {backlog_, starving_})
      for (operation* op = list; op; op = op->next) cancel_queued(*op);
    while (in_flight_ != 0 || wake_armed_) {
      if (held_ && in_flight_ == held_count_) end_held();
      if (in_flight_ != 0 || wake_armed_) wait((duration::max)());
    }
    if (leases_.made()) leases_.store().unbind();
    ::io_uring_unregister_ring_fd(&ring_);
    entered_ = closing_ = false;
  }

 private:
  static constexpr unsigned sq_entries = 256;
  static constexpr unsigned cq_entries = 4096;

  // On the loop's thread: a ring's registered descriptor belongs to one thread.
  PENSTOCK_NOINLINE void enter() noexcept {
    entered_ = true;
    ::io_uring_register_ring_fd(&ring_);  // saves a lookup per call; nothing is lost without
    if (leases_.made()) leases_.store().bind();
    arm_wake();
  }
  void cancel_queued(operation& op) noexcept {
    if (op.stage.load(memory_order_relaxed) != operation_stage::queued) return;
    op.stage.store(operation_stage::canceled, memory_order_relaxed);
    canceled_ = true;
  }
  void arm_wake() noexcept {
    if (closing_) return;
    wake_read_.fd = wake_.fd();
    wake_read_.address = &wake_value_;
    wake_read_.length = sizeof wake_value_;
    wake_read_.offset = operation::at_position;
    if (auto* s = entry()) {
      fill(*s, wake_read_);
      wake_armed_ = true;
    }
  }
  void sleep(duration at_most) noexcept {
    __kernel_timespec limit{};
    __kernel_timespec* until = nullptr;
    if (at_most != (duration::max)()) {
      limit.tv_sec = at_most / std::chrono::seconds(1);
      limit.tv_nsec = (at_most % std::chrono::seconds(1)).count();
      until = &limit;
    }
#if PENSTOCK_TSAN
    // ThreadSanitizer holds signals back until the next function that it intercepts; liburing's
    // system calls are none.
    if (at_most > std::chrono::milliseconds(50)) limit = {.tv_sec = 0, .tv_nsec = 50'000'000};
    until = &limit;
#endif
    if (!wake_armed_) arm_wake();
    ++stats_.waits;
    ++stats_.system_calls;
    io_uring_cqe* first = nullptr;
    check(::io_uring_submit_and_wait_timeout(&ring_, &first, 1, until, nullptr));
#if PENSTOCK_TSAN
    ::usleep(0);
#endif
  }
  // Completions or task work that only a system call brings.
  bool kernel_asks() const noexcept {
    return (__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) &
            (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN)) != 0;
  }
  static void check(int r) noexcept {
    if (r >= 0 || r == -ETIME || r == -EINTR || r == -EAGAIN || r == -EBUSY || r == -ENOMEM) return;
    stop_program("io_uring_enter failed: the loop runs on another thread than it was made on");
  }

  void reap() noexcept {
    for (;;) {
      unsigned head = 0;
      unsigned n = 0;
      io_uring_cqe* c = nullptr;
      io_uring_for_each_cqe(&ring_, head, c) {
        ++n;
        if (c->user_data == 0 || c->user_data == LIBURING_UDATA_TIMEOUT) continue;
        operation& op = *reinterpret_cast<operation*>(c->user_data);
        if (op.kind == operation_kind::receive_lease || op.kind == operation_kind::send_zero_copy)
          finish_part(op, *c);
        else
          finish(op, c->res);
      }
      ::io_uring_cq_advance(&ring_, n);
      if (!::io_uring_cq_has_overflow(&ring_)) break;
      ++stats_.system_calls;
      ::io_uring_get_events(&ring_);
    }
    for (operation* op = lane_.take(); op;) {
      operation* const following = op->next;
      finish(*op, op->answer);
      op = following;
    }
  }
  void finish(operation& op, std::int32_t result) noexcept {
    if (&op == &wake_read_) return woken(result);
    if (op.stage.load(memory_order_relaxed) == operation_stage::cancelling) drop_backlog(op);
    op.stage.store(operation_stage::idle, memory_order_relaxed);
    op.answer = result;
    op.more = false;
    --in_flight_;
    count(op);
    op.complete(op);
  }
  // A completion of an operation that may have several.
  void finish_part(operation& op, const io_uring_cqe& c) noexcept {
    const bool more = (c.flags & IORING_CQE_F_MORE) != 0;
    if (op.kind == operation_kind::send_zero_copy) return finish_zero_copy(op, c, more);
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
      slot = receive_here(op, result);
    }
    if (result == -ENOBUFS || result == -EAGAIN) return starve(op);
    op.other = slot;
    if (slot) op.address = slot->bytes;
    if (more) return deliver(op, result);
    finish(op, result);
  }
  // `op` is the one that waits for the bytes; its `other` the send, until that has ended.
  void finish_zero_copy(operation& op, const io_uring_cqe& c, bool more) noexcept {
    if (c.flags & IORING_CQE_F_NOTIF) {
      unlink_held(op);
      --in_flight_;
      op.answer = (static_cast<std::uint32_t>(c.res) & uring_zc_copied) ? 1 : 0;
      return op.complete(op);
    }
    operation& send = *static_cast<operation*>(op.other);
    if (c.res == -EINVAL && !more && std::exchange(reports_copies_, false)) {  // before Linux 6.2
      if (send.stage.load(memory_order_relaxed) == operation_stage::cancelling) drop_backlog(send);
      --in_flight_;
      if (!submit(send)) return;
      ++in_flight_;
      return finish(send, send.answer);
    }
    if (more) {
      ++stats_.zero_copies;
      ++in_flight_;
      link_held(op);
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
  void link_held(operation& op) noexcept {
    op.other = nullptr;
    op.address = nullptr;  // the one before it
    op.next = held_;
    if (held_) held_->address = &op;
    held_ = &op;
    ++held_count_;
  }
  void unlink_held(operation& op) noexcept {
    auto* const before = static_cast<operation*>(op.address);
    (before ? before->next : held_) = op.next;
    if (op.next) op.next->address = before;
    --held_count_;
  }
  // Bytes of sends that are over: their peers have a second to take them, then the connections end.
  PENSTOCK_NOINLINE void end_held() noexcept {
    for (int i = 0; i < 10 && held_ && in_flight_ == held_count_; ++i)
      wait(std::chrono::milliseconds(100));
    if (!held_ || in_flight_ != held_count_) return;
    for (operation* op = held_; op; op = op->next) {
      if (op->fd < 0) continue;  // no descriptor was left for it
      ::sockaddr nowhere{};
      nowhere.sa_family = AF_UNSPEC;
      ::connect(op->fd, &nowhere, sizeof nowhere);
    }
  }
  // Not the last completion of it.
  void deliver(operation& op, std::int32_t result) noexcept {
    op.answer = result;
    op.more = true;
    count(op);
    op.complete(op);
  }
  // Without a ring of buffers: the socket is readable, the driver itself receives.
  lease_slot* receive_here(const operation& op, std::int32_t& result) noexcept {
    lease_slot* const s = leases_.store().take();
    if (!s) {
      result = -ENOBUFS;
      return nullptr;
    }
    ++stats_.system_calls;
    const ::ssize_t n = ::recv(op.fd, s->bytes, leases_.store().size(), MSG_DONTWAIT);
    result = n < 0 ? -errno : static_cast<std::int32_t>(n);
    if (n > 0) {
      s->length = static_cast<std::uint32_t>(n);
      return s;
    }
    leases_.store().put(*s);
    return nullptr;
  }
  // Whether its cancellation was asked for: it must not go on.
  bool is_over(operation& op) noexcept {
    const auto stage = op.stage.load(memory_order_relaxed);
    if (stage != operation_stage::canceled && stage != operation_stage::cancelling && !closing_)
      return false;
    op.other = nullptr;
    return true;
  }
  // It goes on when there is a buffer.
  void starve(operation& op) noexcept {
    if (is_over(op)) return finish(op, -ECANCELED);
    leases_.want_more();
    ++stats_.starved;
    op.stage.store(operation_stage::queued, memory_order_relaxed);
    op.next = nullptr;
    *(starving_ ? &starving_last_->next : &starving_) = &op;
    starving_last_ = &op;
  }
  PENSTOCK_NOINLINE bool make_leases(operation& op) noexcept {
    if (!entered_) enter();
    // Multishot receive came with Linux 6.0, as zero copy did; rings of buffers before.
    op.answer = leases_.make(ring_, knows(operation_kind::send_zero_copy), options_, wake_);
    op.more = false;
    op.other = nullptr;
    return op.answer == 0;
  }
  void serve_leases() noexcept {
    if (starving_) [[unlikely]]
      leases_.store().hungry(true);  // before it is looked for what has come back
    if (leases_.in_kernel()) leases_.refill();
    if (starving_) [[unlikely]]
      feed();
  }
  // Starving operations go on when there is a buffer: all of them, for those that stay idle use
  // none, and those that come too late starve again. Canceled ones end.
  PENSTOCK_NOINLINE void feed() noexcept {
    lease_store& store = leases_.store();
    if (!leases_.in_kernel()) store.collect();
    const bool buffers = leases_.in_kernel() ? leases_.given() != 0 : store.free() != 0;
    if (!buffers && !canceled_) return;
    canceled_ = false;
    operation* list = std::exchange(starving_, nullptr);
    starving_last_ = nullptr;
    while (list) {
      operation& op = *list;
      list = op.next;
      if (is_over(op)) {
        finish(op, -ECANCELED);
      } else if (buffers) {
        io_uring_sqe* const s = backlog_ ? nullptr : entry();
        if (s)
          fill(*s, op);
        else
          push_backlog(op, operation_stage::queued);
      } else {
        op.next = nullptr;
        *(starving_ ? &starving_last_->next : &starving_) = &op;
        starving_last_ = &op;
      }
    }
    if (!starving_) store.hungry(false);
  }
  void woken(std::int32_t result) noexcept {
    wake_armed_ = false;
    if (result > 0) wakes_seen_ += wake_event::counted(wake_value_);
    arm_wake();
  }

  // A free entry, or null: the kernel takes nothing more at present.
  io_uring_sqe* entry() noexcept {
    if (auto* s = ::io_uring_get_sqe(&ring_)) [[likely]]
      return s;
    ++stats_.system_calls;
    check(::io_uring_submit(&ring_));
    return ::io_uring_get_sqe(&ring_);
  }
  void fill(io_uring_sqe& s, operation& op) noexcept {
    fill_sqe(s, op);
    if (op.kind >= operation_kind::send_zero_copy) [[unlikely]]
      fill_special(s, op);
    s.user_data = key(op);
    op.stage.store(operation_stage::running, memory_order_relaxed);
  }
  void fill_special(io_uring_sqe& s, const operation& op) const noexcept {
    if (op.kind == operation_kind::receive_lease) leases_.fill(s, op);
    if (op.kind == operation_kind::send_zero_copy && reports_copies_)
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

  // What found no entry: first come first, requests and cancellations.
  void push_backlog(operation& op, operation_stage stage) noexcept {
    op.stage.store(stage, memory_order_relaxed);
    op.next = nullptr;
    *(backlog_ ? &backlog_last_->next : &backlog_) = &op;
    backlog_last_ = &op;
  }
  PENSTOCK_NOINLINE void drop_backlog(operation& op) noexcept {
    operation* before = nullptr;
    for (auto* p = backlog_; p != &op; p = p->next) before = p;
    (before ? before->next : backlog_) = op.next;
    if (backlog_last_ == &op) backlog_last_ = before;
  }
  void flush_backlog() noexcept {
    while (backlog_) {
      operation& op = *backlog_;
      const auto stage = op.stage.load(memory_order_relaxed);
      io_uring_sqe* s = nullptr;
      if (stage != operation_stage::canceled && !(s = entry())) return;
      backlog_ = op.next;
      if (stage == operation_stage::canceled) {
        if (op.kind == operation_kind::send_zero_copy) release(op, -ECANCELED);
        finish(op, -ECANCELED);
      } else if (stage == operation_stage::cancelling) {
        fill_cancel(*s, op);
        op.stage.store(operation_stage::canceled, memory_order_relaxed);
      } else {
        fill(*s, op);
      }
    }
  }

  int try_nop() noexcept {
    io_uring_sqe* const s = ::io_uring_get_sqe(&ring_);
    ::io_uring_prep_nop(s);
    s->user_data = 0;
    int r = ::io_uring_submit_and_wait(&ring_, 1);
    if (r < 0) return r;
    io_uring_cqe* c = nullptr;
    r = ::io_uring_wait_cqe(&ring_, &c);
    if (r < 0) return r;
    r = c->res;
    ::io_uring_cqe_seen(&ring_, c);
    return r;
  }
  bool knows(operation_kind k) const noexcept {
    return ((known_ >> static_cast<unsigned>(k)) & 1) != 0;
  }

  const driver_options options_;
  wake_event wake_;
  uring_leases leases_;  // after the ring has gone
  io_uring ring_{};
  pool_lane lane_;
  operation wake_read_{operation_kind::read};
  std::uint64_t wake_value_ = 0;
  operation* backlog_ = nullptr;
  operation* backlog_last_ = nullptr;
  operation* starving_ = nullptr;  // wait for a buffer, in this order
  operation* starving_last_ = nullptr;
  operation* held_ = nullptr;  // the kernel has their bytes, though the send is over
  std::size_t held_count_ = 0;
  std::uint32_t known_ = 0;
  bool canceled_ = false;  // one that was queued or starving
  bool let_go_ = false;    // a receive_lease was cancelled, and the kernel may not know
  bool reports_copies_ = true;
  bool ring_made_ = false;
  bool entered_ = false;
  bool closing_ = false;
  bool wake_armed_ = false;
};
}  // namespace detail

/// Makes a driver on io_uring, for the calling thread.
///
/// **Parameters.** `pool` - for the few operations that an older kernel does not know.
/// **Errors.** the errno of io_uring, with the likely reason; any failure of the first no-op.
/// **Thread-safety.** used on the calling thread only; destroyed anywhere after leave().
/// **Complexity.** a ring of 256 entries, 4096 completions; about 330 KiB.
/// **Lifetime.** `pool` must outlive it.
[[nodiscard]] inline result<std::unique_ptr<driver>> make_uring_driver(
    cpu_pool& pool, driver_options options = {}) {
  auto made = std::make_unique<detail::uring_driver>(pool, options);
  if (const int r = made->start(); r < 0) return fail(detail::uring_error(-r));
  return made;
}

}  // namespace penstock
