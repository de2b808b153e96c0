// penstock/runtime/detail/file_calls.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// File operations as blocking system calls: for a thread of the cpu pool.

#include <penstock/runtime/operation.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

namespace penstock::detail {

inline ::ssize_t read_at(int fd, void* to, std::size_t n, std::uint64_t offset) noexcept {
  if (offset != operation::at_position) {
    const ::ssize_t got = ::pread(fd, to, n, static_cast<::off_t>(offset));
    if (got >= 0 || errno != ESPIPE) return got;
  }
  return ::read(fd, to, n);
}
inline ::ssize_t write_at(int fd, const void* from, std::size_t n, std::uint64_t offset) noexcept {
  if (offset != operation::at_position) {
    const ::ssize_t put = ::pwrite(fd, from, n, static_cast<::off_t>(offset));
    if (put >= 0 || errno != ESPIPE) return put;
  }
  return ::write(fd, from, n);
}

// The system call of `op`: its result, or -1 and errno.
inline ::ssize_t call_once(const operation& op) noexcept {
  const auto* path = static_cast<const char*>(op.address);
  const auto flags = static_cast<int>(op.flags);
  switch (op.kind) {
    case operation_kind::nop:
      return 0;
    case operation_kind::open:
      return ::openat(op.fd, path, flags, static_cast<::mode_t>(op.length));
    case operation_kind::close:
      return ::close(op.fd);
    case operation_kind::read:
      return read_at(op.fd, op.address, op.length, op.offset);
    case operation_kind::write:
      return write_at(op.fd, op.address, op.length, op.offset);
    case operation_kind::sync:
      return op.flags & operation::sync_data_only ? ::fdatasync(op.fd) : ::fsync(op.fd);
    case operation_kind::allocate:
      return ::fallocate(op.fd, flags, static_cast<::off_t>(op.offset),
                         static_cast<::off_t>(op.extent));
    case operation_kind::truncate:
      return ::ftruncate(op.fd, static_cast<::off_t>(op.extent));
    case operation_kind::stat:
      return ::statx(op.fd, path, flags, op.length, static_cast<struct ::statx*>(op.other));
    case operation_kind::rename:
      return ::renameat2(op.fd, path, op.fd, static_cast<const char*>(op.other), op.flags);
    case operation_kind::remove:
      return ::unlinkat(op.fd, path, flags);
    case operation_kind::make_directory:
      return ::mkdirat(op.fd, path, static_cast<::mode_t>(op.length));
    default:
      break;  // sockets do not go to the pool
  }
  errno = EOPNOTSUPP;
  return -1;
}

// A close is over after EINTR too: the descriptor is gone.
inline std::int32_t call(const operation& op) noexcept {
  for (;;) {
    const ::ssize_t r = call_once(op);
    if (r >= 0) return static_cast<std::int32_t>(r);
    if (errno != EINTR) return -errno;
    if (op.kind == operation_kind::close) return 0;
  }
}

}  // namespace penstock::detail
