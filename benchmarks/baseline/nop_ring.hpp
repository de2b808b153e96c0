// benchmarks/baseline/nop_ring.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// No-ops through an io_uring: each is put into the ring again when it is over. A ring full of them
/// is submitted at once and its completions are taken before the next; with more under way the
/// kernel takes twice as long for each.

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace baseline {

class nop_ring {
 public:
  nop_ring() {
    io_uring_params p{};
    p.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    p.cq_entries = 4096;
    made_ = ::io_uring_queue_init_params(256, &ring_, &p) == 0;
    if (made_) ::io_uring_register_ring_fd(&ring_);
  }
  nop_ring(const nop_ring&) = delete;
  nop_ring& operator=(const nop_ring&) = delete;
  ~nop_ring() {
    if (made_) ::io_uring_queue_exit(&ring_);
  }

  /// `in_flight` no-ops, each `count` times. Gives how many went well.
  long run(std::size_t in_flight, long count) {
    if (!made_) return 0;
    all_.assign(in_flight, {nullptr, count});
    for (auto& o : all_) push(o);
    done_ = 0;
    for (long left = static_cast<long>(in_flight) * count; left != 0;) {
      fill();
      ::io_uring_submit_and_wait(&ring_, 1);
      left -= reap();
    }
    return done_;
  }

 private:
  struct no_op {
    no_op* next;
    long left;  // how often it still goes
  };

  void push(no_op& o) {
    o.next = nullptr;
    *last_ = &o;
    last_ = &o.next;
  }
  void fill() {
    while (first_) {
      io_uring_sqe* const s = ::io_uring_get_sqe(&ring_);
      if (!s) return;
      ::io_uring_prep_nop(s);
      s->user_data = reinterpret_cast<std::uintptr_t>(first_);
      first_ = first_->next;
    }
    last_ = &first_;
  }
  unsigned reap() {
    unsigned head = 0, n = 0;
    io_uring_cqe* c = nullptr;
    io_uring_for_each_cqe(&ring_, head, c) {
      ++n;
      auto& o = *reinterpret_cast<no_op*>(c->user_data);
      if (c->res == 0) ++done_;
      if (--o.left != 0) push(o);
    }
    ::io_uring_cq_advance(&ring_, n);
    return n;
  }

  io_uring ring_{};
  bool made_ = false;
  std::vector<no_op> all_;
  no_op* first_ = nullptr;  // not in the ring: first in, first out
  no_op** last_ = &first_;
  long done_ = 0;
};

}  // namespace baseline
