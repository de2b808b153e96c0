// tests/io/old_kernel.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// An io_uring as older kernels have it: between the library and liburing, it refuses what such a
/// kernel does not know, as that kernel does. For one test file of a program: it replaces functions
/// of liburing, which without an `old_kernel::is` do what they always do.

#include <penstock/runtime/driver/detail/liburing.hpp>

#include <dlfcn.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <vector>

namespace old_kernel {

struct lacks {
  const char* name = "nothing";
  unsigned setup_flags = 0;          ///< of io_uring_setup
  unsigned features = 0;             ///< IORING_FEAT_*
  std::vector<int> operations = {};  ///< IORING_OP_*
  bool probe = false;                ///< it does not say what it knows
  bool buffer_rings = false;         ///< IORING_REGISTER_PBUF_RING
  bool multishot_receive = false;    ///< IORING_RECV_MULTISHOT
  bool copy_reports = false;         ///< IORING_SEND_ZC_REPORT_USAGE
  bool whole_sends = false;          ///< MSG_WAITALL of a send
  bool some_cancels = false;         ///< that find what they are for, as in any kernel at times
  bool cancel_flags = false;         ///< IORING_ASYNC_CANCEL_ANY and so on
  [[nodiscard]] bool knows(int operation) const {
    return std::find(operations.begin(), operations.end(), operation) == operations.end();
  }
};

/// What the kernel lacks at present; what the last ring was made with; how much was refused.
inline const lacks* now = nullptr;
inline unsigned made_with = 0;
inline std::atomic<int> refused{0};
inline std::atomic<unsigned> cancels{0};

/// For a scope that holds the whole life of the rings it is for.
class is {
 public:
  explicit is(const lacks& what) {
    now = &what;
    made_with = 0;
    refused = 0;
  }
  is(const is&) = delete;
  is& operator=(const is&) = delete;
  ~is() { now = nullptr; }
};

/// liburing's own function of that name.
template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}
inline bool refuses(const io_uring_sqe& s) {
  if (!now->knows(s.opcode)) return true;
  switch (s.opcode) {
    case IORING_OP_RECV:
      return now->multishot_receive && (s.ioprio & IORING_RECV_MULTISHOT) != 0;
    case IORING_OP_SEND_ZC:
      return now->copy_reports && (s.ioprio & penstock::detail::uring_zc_report_usage) != 0;
    case IORING_OP_ASYNC_CANCEL:
      return now->cancel_flags && s.cancel_flags != 0;
    default:
      return false;
  }
}
/// What is about to be submitted: the kernel answers -EINVAL to an operation that nobody knows.
inline void look_at(io_uring* ring) {
  if (!now) return;
  for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; ++i) {
    io_uring_sqe& s = ring->sq.sqes[i & *ring->sq.kring_mask];
    const bool sends = s.opcode == IORING_OP_SEND || s.opcode == IORING_OP_SENDMSG;
    if (now->whole_sends && sends) s.msg_flags &= ~static_cast<unsigned>(MSG_WAITALL);
    if (now->some_cancels && s.opcode == IORING_OP_ASYNC_CANCEL && s.user_data != 0 &&
        ++cancels % 3 != 0)
      s.addr = 0;
    if (!refuses(s)) continue;
    ++refused;
    const auto name = s.user_data;
    ::io_uring_prep_rw(255, &s, -1, nullptr, 0, 0);
    s.user_data = name;
  }
}

}  // namespace old_kernel

extern "C" {
int io_uring_queue_init_params(unsigned entries, io_uring* ring, io_uring_params* p) {
  using function = int (*)(unsigned, io_uring*, io_uring_params*);
  static const auto real = old_kernel::real<function>("io_uring_queue_init_params");
  if (!old_kernel::now) return real(entries, ring, p);
  if ((p->flags & old_kernel::now->setup_flags) != 0) return -EINVAL;
  const int r = real(entries, ring, p);
  if (r < 0) return r;
  old_kernel::made_with = p->flags;
  p->features &= ~old_kernel::now->features;
  ring->features = p->features;
  return r;
}
io_uring_probe* io_uring_get_probe_ring(io_uring* ring) {
  static const auto real =
      old_kernel::real<io_uring_probe* (*)(io_uring*)>("io_uring_get_probe_ring");
  if (!old_kernel::now) return real(ring);
  if (old_kernel::now->probe) return nullptr;
  io_uring_probe* const p = real(ring);
  for (const int operation : old_kernel::now->operations) p->ops[operation].flags = 0;
  return p;
}
int io_uring_register_buf_ring(io_uring* ring, io_uring_buf_reg* reg, unsigned flags) {
  using function = int (*)(io_uring*, io_uring_buf_reg*, unsigned);
  static const auto real = old_kernel::real<function>("io_uring_register_buf_ring");
  return old_kernel::now && old_kernel::now->buffer_rings ? -EINVAL : real(ring, reg, flags);
}
int io_uring_submit(io_uring* ring) {
  static const auto real = old_kernel::real<int (*)(io_uring*)>("io_uring_submit");
  old_kernel::look_at(ring);
  return real(ring);
}
int io_uring_submit_and_get_events(io_uring* ring) {
  static const auto real = old_kernel::real<int (*)(io_uring*)>("io_uring_submit_and_get_events");
  old_kernel::look_at(ring);
  return real(ring);
}
int io_uring_submit_and_wait_timeout(io_uring* ring, io_uring_cqe** c, unsigned n,
                                     __kernel_timespec* limit, sigset_t* mask) {
  using function = int (*)(io_uring*, io_uring_cqe**, unsigned, __kernel_timespec*, sigset_t*);
  static const auto real = old_kernel::real<function>("io_uring_submit_and_wait_timeout");
  old_kernel::look_at(ring);
  return real(ring, c, n, limit, mask);
}
}
