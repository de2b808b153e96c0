// penstock/runtime/detail/socket_attempts.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the reactor does for an operation on a socket, as far as the readiness that it remembers
/// lets it; and what the system calls teach it about that.

#include <penstock/base/lesser.hpp>
#include <penstock/runtime/detail/lease_desk.hpp>
#include <penstock/runtime/detail/readiness_table.hpp>
#include <penstock/runtime/detail/socket_calls.hpp>

namespace penstock::detail {

inline bool is_writer(const operation& op) noexcept {
  switch (op.kind) {
    case operation_kind::connect:
    case operation_kind::send:
    case operation_kind::send_message:
      return true;
    case operation_kind::poll:
      return (op.flags & POLLOUT) != 0;
    default:
      return false;
  }
}
inline bool is_reader(const operation& op) noexcept {
  if (op.kind == operation_kind::poll) return op.flags != POLLOUT;
  return !is_writer(op);
}

class socket_attempts {
 public:
  socket_attempts(lease_desk& leases, driver_stats& stats) noexcept
      : leases_(leases), stats_(stats) {}
  socket_attempts(const socket_attempts&) = delete;
  socket_attempts& operator=(const socket_attempts&) = delete;

  // True: it is over, `answer` is there.
  bool operator()(operation& op, readiness& s) noexcept {
    switch (op.kind) {
      case operation_kind::receive: {
        if (!s.readable) return false;
        const std::uint32_t room = detail::lesser(op.length, most_bytes);
        ++stats_.system_calls;
        return received(op, s, receive_call(op.fd, op.address, room), room);
      }
      case operation_kind::send:
        return s.writable && send(op, s);
      case operation_kind::receive_lease:
        return receive_lease(op, s);
      case operation_kind::receive_message:
        if (!s.readable) return false;
        ++stats_.system_calls;
        return answered(op, s.readable, receive_message_call(op));
      case operation_kind::send_message:
        if (!s.writable) return false;
        ++stats_.system_calls;
        return answered(op, s.writable, send_message_call(op));
      case operation_kind::accept:
        return accept(op, s);
      case operation_kind::connect:
        return connect(op, s);
      case operation_kind::poll:
        ++stats_.system_calls;
        op.answer = static_cast<std::int32_t>(poll_call(op));
        return op.answer != 0;
      default:
        op.answer = -EOPNOTSUPP;
        return true;
    }
  }
  // A receive_lease whose turn it is to have a buffer.
  bool receive_into(operation& op, readiness& s, lease_slot& slot) noexcept {
    ++stats_.system_calls;
    const bool over =
        received(op, s, receive_call(op.fd, slot.bytes, leases_.size()), leases_.size());
    if (!over || op.answer <= 0) {
      leases_.put(slot);
      return over;
    }
    slot.length = static_cast<std::uint32_t>(op.answer);
    op.other = &slot;
    op.address = slot.bytes;
    return true;
  }

 private:
  // False: it was not `ready`.
  static bool answered(operation& op, bool& ready, ::ssize_t r) noexcept {
    if (r == -EAGAIN) {
      ready = false;
      return false;
    }
    op.answer = static_cast<std::int32_t>(r);
    return true;
  }
  static bool received(operation& op, readiness& s, ::ssize_t r, std::uint32_t room) noexcept {
    if (r > 0 && r < static_cast<::ssize_t>(room) && !s.lasting) s.readable = false;
    return answered(op, s.readable, r);
  }
  // On an error after some bytes: their number; the next one says what it was.
  bool send(operation& op, readiness& s) noexcept {
    const auto* const bytes = static_cast<const std::byte*>(op.address);
    const std::uint32_t all = detail::lesser(op.length, most_bytes);
    auto sent = static_cast<std::uint32_t>(op.answer);
    do {
      ++stats_.system_calls;
      const ::ssize_t r = send_call(op.fd, bytes + sent, all - sent);
      if (r < 0) [[unlikely]] {
        op.answer = static_cast<std::int32_t>(sent);
        if (sent != 0 && r != -EAGAIN) return true;
        return answered(op, s.writable, r);
      }
      sent += static_cast<std::uint32_t>(r);
    } while (sent < all);
    op.answer = static_cast<std::int32_t>(sent);
    return true;
  }
  bool receive_lease(operation& op, readiness& s) noexcept {
    op.other = nullptr;
    op.more = false;
    if (!s.readable || op.stage.load(memory_order_relaxed) == operation_stage::queued) return false;
    if (!leases_.open()) [[unlikely]] {
      op.answer = -ENOMEM;
      return true;
    }
    lease_slot* const slot = leases_.take();
    if (slot) [[likely]]
      return receive_into(op, s, *slot);
    ++stats_.starved;
    leases_.push(op);
    return false;
  }
  bool accept(operation& op, readiness& s) noexcept {
    if (!s.readable || !become_nonblocking(op, s)) return op.answer != 0;
    ++stats_.system_calls;
    return answered(op, s.readable, accept_call(op));
  }
  bool connect(operation& op, readiness& s) noexcept {
    const bool began = op.stage.load(memory_order_relaxed) == operation_stage::running;
    if (!become_nonblocking(op, s)) return true;
    ++stats_.system_calls;
    const ::ssize_t r = connect_call(op);
    if (r == -EINPROGRESS || r == -EALREADY) return false;
    op.answer = began && r == -EISCONN ? 0 : static_cast<std::int32_t>(r);
    return true;
  }
  bool become_nonblocking(operation& op, readiness& s) noexcept {
    if (s.nonblocking) [[likely]]
      return true;
    stats_.system_calls += 2;
    op.answer = make_nonblocking(op.fd);
    return s.nonblocking = op.answer == 0;
  }

  lease_desk& leases_;
  driver_stats& stats_;
};

}  // namespace penstock::detail
