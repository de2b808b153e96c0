// penstock/io/detail/socket_option.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Options and addresses of sockets, and how a socket is made.

#include <penstock/io/detail/open_socket.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <cerrno>
#include <type_traits>

namespace penstock::detail {

// The error of a system call on it.
inline error call_error(const char* verb, const open_socket& s) noexcept {
  return socket_error(s.fd < 0 ? -ECANCELED : -errno, verb, s);
}

template <class T>
result<> set_socket_option(const open_socket& s, int level, int name, const T& value) noexcept {
  static_assert(std::is_trivially_copyable_v<T>, "an option is a struct of the system's");
  if (::setsockopt(s.fd, level, name, &value, sizeof value) == 0) return {};
  return fail(call_error("set an option of", s));
}
template <class T>
result<T> socket_option(const open_socket& s, int level, int name) noexcept {
  static_assert(std::is_trivially_copyable_v<T>, "an option is a struct of the system's");
  T value{};
  ::socklen_t n = sizeof value;
  if (::getsockopt(s.fd, level, name, &value, &n) == 0) return value;
  return fail(call_error("get an option of", s));
}

// ::getsockname or ::getpeername.
using get_address = int (*)(int, ::sockaddr*, ::socklen_t*) noexcept;

// 0, or the negative errno.
inline int address_of(int fd, get_address get, endpoint& to) noexcept {
  ::sockaddr_storage a{};
  ::socklen_t n = sizeof a;
  auto* const at = reinterpret_cast<::sockaddr*>(&a);
  if (get(fd, at, &n) != 0) return -errno;
  return to.assign(at, n) ? 0 : -EAFNOSUPPORT;
}
template <class Endpoint>
result<Endpoint> address_of(const open_socket& s, get_address get) noexcept {
  Endpoint e;
  if (const int r = address_of(s.fd, get, e); r != 0)
    return fail(socket_error(s.fd < 0 ? -ECANCELED : r, "get the address of", s));
  return e;
}

// Options that are set before it connects or listens; 0 leaves them to the system.
struct early_options {
  bool nodelay = false;
  int send_buffer_size = 0;
  int receive_buffer_size = 0;
};
// 0, or the negative errno.
inline int set_early(int fd, const early_options& o) noexcept {
  const auto set = [fd](int level, int name, int value) {
    return value == 0 || ::setsockopt(fd, level, name, &value, sizeof value) == 0;
  };
  const bool good = set(IPPROTO_TCP, TCP_NODELAY, o.nodelay) &&
                    set(SOL_SOCKET, SO_SNDBUF, o.send_buffer_size) &&
                    set(SOL_SOCKET, SO_RCVBUF, o.receive_buffer_size);
  return good ? 0 : -errno;
}

}  // namespace penstock::detail
