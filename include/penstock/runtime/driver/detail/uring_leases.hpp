// penstock/runtime/driver/detail/uring_leases.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The buffers that io_uring receives into: a ring in which the kernel finds the next one, filled
/// from a lease_store; and the operations that wait for a buffer.
///
/// The kernel takes buffers in the order in which they were given; so it is given few, as many as
/// it uses up between two waits, and those that came back last: they are in the processor's cache.

#include <penstock/base/taken.hpp>
#include <penstock/runtime/detail/operation_queue.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/driver/detail/liburing.hpp>
#include <penstock/runtime/lease_store.hpp>
#include <penstock/runtime/operation.hpp>

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <bit>
#include <cerrno>

namespace penstock::detail {

class uring_leases {
 public:
  uring_leases() noexcept = default;
  uring_leases(const uring_leases&) = delete;
  uring_leases& operator=(const uring_leases&) = delete;
  // The ring is closed by now.
  ~uring_leases() {
    if (entries_) ::munmap(entries_, bytes());
    if (!store_) return;
    for (unsigned i = 0; i < store_->count(); ++i)
      if (store_->slot(i).length == with_kernel) store_->put(store_->slot(i));
    store_->abandon();
  }

  [[nodiscard]] bool made() const noexcept { return store_ != nullptr; }
  [[nodiscard]] lease_store& store() noexcept { return *store_; }
  // Whether the kernel receives into these buffers by itself.
  [[nodiscard]] bool in_kernel() const noexcept { return entries_ != nullptr; }

  // On the loop's thread. 0, or the negative errno.
  int make(io_uring& ring, bool multishot, const driver_options& o,
           const wake_event& wake) noexcept {
    const unsigned count = o.receive_buffers;
    try {
      store_ = lease_store::create(count, o.receive_buffer_size, wake);
    } catch (const std::bad_alloc&) {
      return -ENOMEM;
    }
    store_->bind();
    mask_ = std::bit_ceil(count) - 1;
    if (!multishot) return 0;
    void* const m =
        ::mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    if (m == MAP_FAILED) return 0;
    io_uring_buf_reg reg{};
    reg.ring_addr = reinterpret_cast<std::uintptr_t>(m);
    reg.ring_entries = mask_ + 1;
    reg.bgid = group;
    if (::io_uring_register_buf_ring(&ring, &reg, 0) != 0) {  // before Linux 5.19
      ::munmap(m, bytes());
      return 0;
    }
    entries_ = static_cast<io_uring_buf_ring*>(m);
    ::io_uring_buf_ring_init(entries_);
    return 0;
  }

  // Gives the kernel buffers until it has enough.
  void refill() noexcept {
    unsigned added = 0;
    while (given_ < wanted_) {
      lease_slot* const s = store_->take();
      if (!s) break;
      ::io_uring_buf_ring_add(entries_, s->bytes, store_->size(),
                              static_cast<unsigned short>(s->index), static_cast<int>(mask_),
                              static_cast<int>(added++));
      ++given_;
      s->length = with_kernel;
    }
    if (added) ::io_uring_buf_ring_advance(entries_, static_cast<int>(added));
  }
  // How many the kernel has.
  [[nodiscard]] unsigned given() const noexcept { return given_; }
  // The kernel has used a buffer.
  lease_slot& used(const io_uring_cqe& c) noexcept {
    const unsigned id = c.flags >> IORING_CQE_BUFFER_SHIFT;
    --given_;
    lease_slot& s = store_->slot(id);
    s.length = static_cast<std::uint32_t>(c.res);
    return s;
  }
  // The kernel had none left: it is to have more, up to an eighth, or 32: what it has used once
  // stays committed memory, and it uses all that it has in turn.
  void want_more() noexcept {
    if (wanted_ <= mask_ / 16) wanted_ *= 2;
  }
  // Without a ring of buffers: the socket is readable, we receive ourselves. Null: `result` says
  // why there are no bytes.
  lease_slot* receive(int fd, std::int32_t& result) noexcept {
    lease_slot* const s = store_->take();
    if (!s) {
      result = -ENOBUFS;
      return nullptr;
    }
    const ::ssize_t n = ::recv(fd, s->bytes, store_->size(), MSG_DONTWAIT);
    result = n < 0 ? -errno : static_cast<std::int32_t>(n);
    if (n > 0) {
      s->length = static_cast<std::uint32_t>(n);
      return s;
    }
    store_->put(*s);
    return nullptr;
  }
  void fill(io_uring_sqe& s, const operation& op) const noexcept {
    if (in_kernel()) {
      ::io_uring_prep_recv_multishot(&s, op.fd, nullptr, 0, 0);
      s.flags |= IOSQE_BUFFER_SELECT;
      s.buf_group = group;
    } else {
      ::io_uring_prep_poll_add(&s, op.fd, POLLIN);
    }
  }

  // Operations that wait until there is a buffer, in this order.
  [[nodiscard]] bool has_starving() const noexcept { return !starving_.empty(); }
  void starve(operation& op) noexcept {
    op.stage.store(operation_stage::queued, memory_order_relaxed);
    starving_.push(op);
  }
  // Before the driver sleeps: whether something that came back is for one of them.
  [[nodiscard]] bool can_feed() const noexcept { return has_starving() && store_->has_returned(); }
  // In each turn: takes what has come back, gives the kernel what it may have.
  void serve() noexcept {
    if (has_starving()) [[unlikely]]
      store_->hungry(true);  // before it is looked for what has come back
    if (in_kernel()) refill();
  }
  // Whether there is a buffer for one that starves.
  bool has_food() noexcept {
    if (in_kernel()) return given_ != 0;
    store_->collect();
    return store_->free() != 0;
  }
  // Those for which `next(op)` is false go on waiting.
  template <class Next>
  requires requires(Next& f, operation& op, bool b) { b = f(op); }
  void feed(Next next) noexcept {
    operation_queue list = detail::exchanged(starving_, {});
    while (!list.empty()) {
      operation& op = list.pop();
      if (!next(op)) starving_.push(op);
    }
    if (!has_starving()) store_->hungry(false);
  }
  template <class Fn>
  requires requires(Fn& f, operation& op) { f(op); }
  void each_starving(Fn fn) { starving_.each(fn); }

 private:
  static constexpr unsigned short group = 0;
  static constexpr std::uint32_t with_kernel = ~std::uint32_t{0};  // a slot's length
  [[nodiscard]] std::size_t bytes() const noexcept { return (mask_ + 1) * sizeof(io_uring_buf); }

  lease_store* store_ = nullptr;
  io_uring_buf_ring* entries_ = nullptr;
  unsigned mask_ = 0;
  unsigned given_ = 0;  // buffers that the kernel has
  unsigned wanted_ = 32;
  operation_queue starving_;
};

}  // namespace penstock::detail
