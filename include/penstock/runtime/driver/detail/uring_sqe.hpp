// penstock/runtime/driver/detail/uring_sqe.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// An operation as a submission entry of io_uring, and which entries the kernel must know for it.

#include <penstock/runtime/driver/detail/liburing.hpp>
#include <penstock/runtime/driver/detail/uring_memory.hpp>
#include <penstock/runtime/operation.hpp>

#include <sys/socket.h>
#include <cstdint>

namespace penstock::detail {

// A receive_lease is filled by the driver: it has the buffers.
inline void fill_sqe(io_uring_sqe& s, const operation& op, uring_memory& memory) noexcept {
  const auto* path = static_cast<const char*>(op.address);
  const auto flags = static_cast<int>(op.flags);
  switch (op.kind) {
    case operation_kind::receive:
      ::io_uring_prep_recv(&s, op.fd, op.address, op.length, 0);
      break;
    case operation_kind::send:
      ::io_uring_prep_send(&s, op.fd, op.address, op.length, MSG_NOSIGNAL | MSG_WAITALL);
      break;
    case operation_kind::nop:
    case operation_kind::receive_lease:
      ::io_uring_prep_nop(&s);
      break;
    case operation_kind::open:
      ::io_uring_prep_openat(&s, op.fd, path, flags, op.length);
      break;
    case operation_kind::close:
      ::io_uring_prep_close(&s, op.fd);
      break;
    case operation_kind::read:
      ::io_uring_prep_read(&s, op.fd, op.address, op.length, op.offset);
      if (op.flags & operation::direct) memory.use_pinned(s, op);
      break;
    case operation_kind::write:
      ::io_uring_prep_write(&s, op.fd, op.address, op.length, op.offset);
      if (op.flags & operation::direct) memory.use_pinned(s, op);
      break;
    case operation_kind::sync:
      ::io_uring_prep_fsync(&s, op.fd,
                            op.flags & operation::sync_data_only ? IORING_FSYNC_DATASYNC : 0);
      break;
    case operation_kind::allocate:
      ::io_uring_prep_fallocate(&s, op.fd, flags, static_cast<::off_t>(op.offset),
                                static_cast<::off_t>(op.extent));
      break;
    case operation_kind::truncate:
      ::io_uring_prep_rw(uring_op_ftruncate, &s, op.fd, nullptr, 0, op.extent);
      break;
    case operation_kind::stat:
      ::io_uring_prep_statx(&s, op.fd, path, flags, op.length,
                            static_cast<struct ::statx*>(op.other));
      break;
    case operation_kind::rename:
      ::io_uring_prep_renameat(&s, op.fd, path, op.fd, static_cast<const char*>(op.other),
                               op.flags);
      break;
    case operation_kind::remove:
      ::io_uring_prep_unlinkat(&s, op.fd, path, flags);
      break;
    case operation_kind::make_directory:
      ::io_uring_prep_mkdirat(&s, op.fd, path, static_cast<::mode_t>(op.length));
      break;
    case operation_kind::connect:
      ::io_uring_prep_connect(&s, op.fd, static_cast<const ::sockaddr*>(op.address), op.length);
      break;
    case operation_kind::accept:
      ::io_uring_prep_accept(&s, op.fd, static_cast<::sockaddr*>(op.address),
                             static_cast<::socklen_t*>(op.other), flags);
      break;
    case operation_kind::receive_message:
      ::io_uring_prep_recvmsg(&s, op.fd, static_cast<::msghdr*>(op.address), op.flags);
      break;
    case operation_kind::send_message:
      ::io_uring_prep_sendmsg(&s, op.fd, static_cast<const ::msghdr*>(op.address),
                              op.flags | MSG_NOSIGNAL | MSG_WAITALL);
      break;
    case operation_kind::send_zero_copy:
      ::io_uring_prep_send_zc(&s, op.fd, op.address, op.length, MSG_NOSIGNAL | MSG_WAITALL, 0);
      break;
    case operation_kind::poll:
      ::io_uring_prep_poll_add(&s, op.fd, op.flags);
      break;
  }
}

inline constexpr std::uint8_t uring_codes[operation_kinds] = {
    IORING_OP_NOP,     IORING_OP_OPENAT,   IORING_OP_CLOSE,     IORING_OP_READ,
    IORING_OP_WRITE,   IORING_OP_FSYNC,    IORING_OP_FALLOCATE, uring_op_ftruncate,
    IORING_OP_STATX,   IORING_OP_RENAMEAT, IORING_OP_UNLINKAT,  IORING_OP_MKDIRAT,
    IORING_OP_CONNECT, IORING_OP_ACCEPT,   IORING_OP_RECV,      IORING_OP_SEND,
    IORING_OP_RECVMSG, IORING_OP_SENDMSG,  IORING_OP_SEND_ZC,   IORING_OP_POLL_ADD,
    IORING_OP_POLL_ADD};

constexpr std::uint32_t bit_of(operation_kind k) noexcept { return 1u << static_cast<unsigned>(k); }
// What nothing else does: the operations on sockets, and the read of what wakes the loop.
inline constexpr std::uint32_t kinds_needed =
    bit_of(operation_kind::read) | bit_of(operation_kind::connect) |
    bit_of(operation_kind::accept) | bit_of(operation_kind::receive) |
    bit_of(operation_kind::send) | bit_of(operation_kind::receive_message) |
    bit_of(operation_kind::send_message) | bit_of(operation_kind::receive_lease) |
    bit_of(operation_kind::poll);

// The kinds that the kernel knows, a bit each; 0 when it does not say: before Linux 5.6, or when
// io_uring_register is forbidden.
inline std::uint32_t kinds_known(io_uring& ring) noexcept {
  static_assert(operation_kinds <= 32);
  io_uring_probe* const probe = ::io_uring_get_probe_ring(&ring);
  if (!probe) return 0;
  std::uint32_t known = 0;
  for (std::size_t k = 0; k < operation_kinds; ++k) {
    const auto code = uring_codes[k];
    if (code <= probe->last_op && (probe->ops[code].flags & IO_URING_OP_SUPPORTED))
      known |= bit_of(static_cast<operation_kind>(k));
  }
  ::io_uring_free_probe(probe);
  return known;
}

}  // namespace penstock::detail
