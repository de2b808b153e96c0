// penstock/runtime/detail/socket_calls.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The system calls of sockets, none of which blocks: a result, or the negative errno.

#include <penstock/runtime/operation.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <cerrno>
#include <cstddef>

namespace penstock::detail {

// What one call moves at most; more would not fit into an answer.
inline constexpr std::uint32_t most_bytes = 0x7fff'f000;

template <class Call>
::ssize_t uninterrupted(Call call) noexcept {
  for (;;) {
    const ::ssize_t r = call();
    if (r >= 0) [[likely]]
      return r;
    if (errno != EINTR) return -errno;
  }
}

inline ::ssize_t receive_call(int fd, void* to, std::size_t n) noexcept {
  return uninterrupted([=] { return ::recv(fd, to, n, MSG_DONTWAIT); });
}
inline ::ssize_t send_call(int fd, const std::byte* from, std::size_t n) noexcept {
  return uninterrupted([=] { return ::send(fd, from, n, MSG_DONTWAIT | MSG_NOSIGNAL); });
}
inline ::ssize_t receive_message_call(const operation& op) noexcept {
  const int flags = static_cast<int>(op.flags) | MSG_DONTWAIT;
  return uninterrupted([&] { return ::recvmsg(op.fd, static_cast<msghdr*>(op.address), flags); });
}
inline ::ssize_t send_message_call(const operation& op) noexcept {
  const int flags = static_cast<int>(op.flags) | MSG_DONTWAIT | MSG_NOSIGNAL;
  return uninterrupted([&] { return ::sendmsg(op.fd, static_cast<msghdr*>(op.address), flags); });
}
// The descriptor was made non-blocking, here and in connect_call().
inline ::ssize_t accept_call(const operation& op) noexcept {
  return uninterrupted([&] {
    return ::accept4(op.fd, static_cast<sockaddr*>(op.address), static_cast<socklen_t*>(op.other),
                     static_cast<int>(op.flags));
  });
}
// Called again when something has happened, it says how the connecting has ended: EALREADY, not
// yet.
inline ::ssize_t connect_call(const operation& op) noexcept {
  return uninterrupted(
      [&] { return ::connect(op.fd, static_cast<sockaddr*>(op.address), op.length); });
}
// What the descriptor is ready for; 0: nothing of what is asked for.
inline ::ssize_t poll_call(const operation& op) noexcept {
  pollfd p{op.fd, static_cast<short>(op.flags), 0};
  const ::ssize_t r = uninterrupted([&] { return ::poll(&p, 1, 0); });
  if (r <= 0) return r;
  return p.revents & POLLNVAL ? -EBADF : p.revents;
}

// The negative errno, or 0.
inline int make_nonblocking(int fd) noexcept {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  return flags & O_NONBLOCK || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : -errno;
}
// Whether a receive that gives less than there was room for has taken all. Datagrams end early, and
// so does what came over a local socket with a descriptor.
inline bool is_plain_stream(int fd) noexcept {
  int protocol = 0;
  socklen_t size = sizeof protocol;
  return ::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
         protocol == IPPROTO_TCP;
}

}  // namespace penstock::detail
