// penstock/runtime/operation.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One thing that a driver is asked to do: a plain struct inside the awaiter that waits for it.
/// Types of io/ fill operations, drivers (driver.hpp) execute them. A new kind of driver needs
/// nothing but this and driver.hpp.

#include <penstock/base/atomic.hpp>

#include <cstddef>
#include <cstdint>

namespace penstock {

/// What to do. `path` is a null-terminated string at `address`, relative to the directory `fd`.
/// Those from `connect` on are for sockets: `offset` is the socket's number, which no other socket
/// of the process has or had (socket_number()).
enum class operation_kind : std::uint8_t {
  nop,             ///< nothing
  open,            ///< path, flags (O_*), length: permissions -> fd
  close,           ///< fd
  read,            ///< fd, address, length, offset, flags: direct or 0 -> bytes
  write,           ///< fd, address, length, offset, flags: direct or 0 -> bytes
  sync,            ///< fd, flags: sync_data_only or 0
  allocate,        ///< fd, offset, extent, flags: mode of fallocate
  truncate,        ///< fd, extent: the new size
  stat,            ///< path (empty: fd itself), flags (AT_*), length: mask, other: struct statx*
  rename,          ///< path, other: the new path, flags (RENAME_*)
  remove,          ///< path, flags (AT_REMOVEDIR or 0)
  make_directory,  ///< path, length: permissions

  connect,  ///< fd, address: sockaddr, length: its size -> 0
  accept,   ///< fd, flags: of accept4; address: null or sockaddr, other: its socklen_t -> fd
  receive,  ///< fd, address, length -> bytes; 0: the peer has ended
  send,     ///< fd, address, length -> bytes: all, unless something came between
  receive_message,  ///< fd, address: msghdr, flags: MSG_* -> bytes
  send_message,     ///< fd, address: msghdr, flags: MSG_* -> bytes: all, or what went before
  send_zero_copy,   ///< as send; other: an operation that is completed when the bytes are free
  receive_lease,    ///< fd -> bytes in a buffer of the driver: `other` is its lease_slot
  poll,             ///< fd, flags: POLLIN and so on -> POLLIN and so on
};
inline constexpr std::size_t operation_kinds = static_cast<std::size_t>(operation_kind::poll) + 1;

/// The name of the kind.
[[nodiscard]] constexpr const char* to_string(operation_kind k) noexcept {
  switch (k) {
    case operation_kind::nop:
      return "nop";
    case operation_kind::open:
      return "open";
    case operation_kind::close:
      return "close";
    case operation_kind::read:
      return "read";
    case operation_kind::write:
      return "write";
    case operation_kind::sync:
      return "sync";
    case operation_kind::allocate:
      return "allocate";
    case operation_kind::truncate:
      return "truncate";
    case operation_kind::stat:
      return "stat";
    case operation_kind::rename:
      return "rename";
    case operation_kind::remove:
      return "remove";
    case operation_kind::make_directory:
      return "make_directory";
    case operation_kind::connect:
      return "connect";
    case operation_kind::accept:
      return "accept";
    case operation_kind::receive:
      return "receive";
    case operation_kind::send:
      return "send";
    case operation_kind::receive_message:
      return "receive_message";
    case operation_kind::send_message:
      return "send_message";
    case operation_kind::send_zero_copy:
      return "send_zero_copy";
    case operation_kind::receive_lease:
      return "receive_lease";
    case operation_kind::poll:
      return "poll";
  }
  return "?";
}

namespace detail {
// Where an operation is, as its driver sees it.
enum class operation_stage : std::uint8_t {
  idle,        // not with a driver
  queued,      // waits for its turn; nothing was done yet
  running,     // the kernel or a thread of the pool has it
  cancelling,  // running, and a cancellation waits for its turn
  ending,      // running, and the kernel was asked to cancel it
  canceled,    // taken back while it was queued
};
inline constinit atomic<std::uint64_t> socket_numbers{0};
}  // namespace detail

/// A number that no other socket of this process has or had: descriptors are used again.
[[nodiscard]] inline std::uint64_t socket_number() noexcept {
  return detail::socket_numbers.fetch_add(1, detail::memory_order_relaxed) + 1;
}

/// A request to a driver, and its answer.
///
/// **Shape.** filled -> submitted -> (cancelled) -> completed, once; then it may be used again. A
/// receive_lease may be completed several times: it is over when `more` is false. The other
/// operation of a send_zero_copy, of the same kind and descriptor, is not submitted: it is
/// completed once, in any case, with 1 when the kernel copied the bytes, with a negative errno when
/// they were not sent so, else with 0.
/// **Thread-safety.** belongs to its driver's loop.
/// **Lifetime.** the address is what the driver knows it by: operation, buffer and paths stay where
/// they are until it is completed, also when it is cancelled.
struct operation {
  /// Bits of `flags` of a `sync`.
  static constexpr std::uint32_t sync_data_only = 1;
  /// Bit of `flags` of a read or write: the kernel moves the bytes to or from this very memory, so
  /// that it pays to have it pinned (base/registered_memory.hpp).
  static constexpr std::uint32_t direct = 1;
  /// `offset` of a read or write: where the file's own position is.
  static constexpr std::uint64_t at_position = ~std::uint64_t{0};
  /// Called on the loop when the operation is over: may submit again, must not resume or throw.
  using completion = void (*)(operation&) noexcept;

  operation() noexcept = default;
  explicit operation(operation_kind k) noexcept : kind(k) {}
  /// Copies the request only.
  operation(const operation& o) noexcept
      : kind(o.kind),
        fd(o.fd),
        flags(o.flags),
        length(o.length),
        address(o.address),
        offset(o.offset),
        other(o.other),
        complete(o.complete) {}
  operation& operator=(const operation&) = delete;

  operation_kind kind = operation_kind::nop;
  bool in_pool = false;  ///< the driver's: it went to the cpu pool
  bool more = false;     ///< at a completion: there will be another one
  detail::atomic<detail::operation_stage> stage{detail::operation_stage::idle};  ///< the driver's
  std::int32_t fd = -1;
  std::uint32_t flags = 0;
  std::uint32_t length = 0;
  void* address = nullptr;
  std::uint64_t offset = 0;
  union {
    void* other = nullptr;
    std::uint64_t extent;
  };
  completion complete = nullptr;
  operation* next = nullptr;  ///< the driver's: in a queue
  /// What the kind says, or the negative errno.
  std::int32_t answer = 0;
};
static_assert(sizeof(operation) <= 64, "a cache line");

}  // namespace penstock
