// penstock/runtime/driver/detail/uring_ring.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The ring itself: how it is made, its entries, the system calls, its completions. It knows
/// nothing of operations.

#include <penstock/base/assert.hpp>
#include <penstock/base/atomic.hpp>
#include <penstock/base/clock.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/driver/detail/liburing.hpp>

#include <unistd.h>
#include <cerrno>

namespace penstock::detail {

// Orders the lives of rings: the kernel reuses a ring's addresses, which ThreadSanitizer, not
// seeing liburing's mmap, takes for a race. Written by every ring's beginning and end.
inline constinit atomic<unsigned> ring_lives{0};

class uring_ring {
 public:
  explicit uring_ring(driver_stats& stats) noexcept : stats_(stats) {}
  uring_ring(const uring_ring&) = delete;
  uring_ring& operator=(const uring_ring&) = delete;
  ~uring_ring() {
    if (!made_) return;
    ::io_uring_queue_exit(&ring_);
    ring_lives.fetch_add(1, memory_order_acq_rel);
  }

  // Makes the ring and sees a no-op through it. The negative errno, or 0.
  int start() noexcept {
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
    made_ = true;
    if (!(ring_.features & IORING_FEAT_NODROP)) return -EINVAL;
    return try_nop();
  }
  [[nodiscard]] io_uring& raw() noexcept { return ring_; }
  // On the loop's thread: a ring's registered descriptor belongs to one thread. It saves a lookup
  // per call; nothing is lost without.
  void bind() noexcept { ::io_uring_register_ring_fd(&ring_); }
  void unbind() noexcept { ::io_uring_unregister_ring_fd(&ring_); }

  // A free entry, or null: the kernel takes nothing more at present.
  io_uring_sqe* entry() noexcept {
    if (auto* s = ::io_uring_get_sqe(&ring_)) [[likely]]
      return s;
    submit();
    return ::io_uring_get_sqe(&ring_);
  }
  void submit() noexcept {
    ++stats_.system_calls;
    check(::io_uring_submit(&ring_));
  }
  // Without sleeping, and only when there is a reason to.
  void submit_and_look() noexcept {
    if (::io_uring_sq_ready(&ring_) == 0 && !kernel_asks()) return;
    ++stats_.system_calls;
    check(::io_uring_submit_and_get_events(&ring_));
  }
  void submit_and_sleep(duration at_most) noexcept {
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
    ++stats_.waits;
    ++stats_.system_calls;
    io_uring_cqe* first = nullptr;
    check(::io_uring_submit_and_wait_timeout(&ring_, &first, 1, until, nullptr));
#if PENSTOCK_TSAN
    ::usleep(0);
#endif
  }

  [[nodiscard]] bool has_completions() noexcept { return ::io_uring_cq_ready(&ring_) != 0; }
  // Gives `fn` the completions of the entries that have user data.
  template <class Fn>
  requires requires(Fn& f, const io_uring_cqe& c) { f(c); }
  void reap(Fn fn) noexcept {
    for (;;) {
      unsigned head = 0;
      unsigned n = 0;
      io_uring_cqe* c = nullptr;
      io_uring_for_each_cqe(&ring_, head, c) {
        ++n;
        if (c->user_data == 0 || c->user_data == LIBURING_UDATA_TIMEOUT) continue;
        fn(*c);
      }
      ::io_uring_cq_advance(&ring_, n);
      if (!::io_uring_cq_has_overflow(&ring_)) break;
      ++stats_.system_calls;
      ::io_uring_get_events(&ring_);
    }
  }

 private:
  static constexpr unsigned sq_entries = 256;
  static constexpr unsigned cq_entries = 4096;

  // Completions or task work that only a system call brings.
  bool kernel_asks() const noexcept {
    return (__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) &
            (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN)) != 0;
  }
  static void check(int r) noexcept {
    if (r >= 0 || r == -ETIME || r == -EINTR || r == -EAGAIN || r == -EBUSY || r == -ENOMEM) return;
    stop_program("io_uring_enter failed: the loop runs on another thread than it was made on");
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

  io_uring ring_{};
  driver_stats& stats_;
  bool made_ = false;
};

}  // namespace penstock::detail
