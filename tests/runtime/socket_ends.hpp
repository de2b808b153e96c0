// tests/runtime/socket_ends.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Real sockets for tests of drivers, and the operations on them.

#include <runtime/driver_harness.hpp>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace harness {

/// A descriptor and the number that makes it known to a driver; closed at the end.
struct numbered {
  explicit numbered(int f = -1) : fd(f) {}
  numbered(const numbered&) = delete;
  numbered& operator=(const numbered&) = delete;
  ~numbered() { shut(); }
  /// Takes another descriptor over, as another socket.
  void become(int f) {
    shut();
    fd = f;
    number = penstock::socket_number();
  }
  void shut() {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
  /// What can be read at once.
  std::string text(std::size_t most = 4096) const {
    std::string s(most, '\0');
    const ssize_t n = ::recv(fd, s.data(), most, MSG_DONTWAIT);
    s.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return s;
  }
  bool put(std::string_view s) const {
    return ::send(fd, s.data(), s.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(s.size());
  }
  int fd = -1;
  std::uint64_t number = penstock::socket_number();
};

/// Two ends of a socketpair.
struct local_pair {
  explicit local_pair(int type = SOCK_STREAM) {
    int fd[2] = {-1, -1};
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fd) != 0) return;
    a.fd = fd[0];
    b.fd = fd[1];
  }
  numbered a, b;
};

/// A listening TCP socket on the loopback.
struct tcp_listener : numbered {
  explicit tcp_listener(int backlog = 64) : numbered(::socket(AF_INET, SOCK_STREAM, 0)) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd, name(), size) != 0 || ::listen(fd, backlog) != 0 ||
        ::getsockname(fd, name(), &size) != 0)
      shut();
  }
  sockaddr* name() { return reinterpret_cast<sockaddr*>(&address); }
  sockaddr_in address{};
};

/// Two ends of a TCP connection; `a` has small buffers if `small`.
struct tcp_pair {
  explicit tcp_pair(bool small = false) {
    tcp_listener l;
    a.fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const int bytes = 4096;
    if (small) ::setsockopt(a.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    if (::connect(a.fd, l.name(), sizeof l.address) == 0) b.fd = ::accept(l.fd, nullptr, nullptr);
    const int yes = 1;
    for (int fd : {a.fd, b.fd}) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  numbered a, b;
};

/// Its peer gets a reset.
inline void reset(numbered& s) {
  const linger at_once{1, 0};
  ::setsockopt(s.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  s.shut();
}

inline recorded on(const numbered& s, penstock::operation_kind k, void* address = nullptr,
                   std::size_t length = 0) {
  recorded op(k);
  op.fd = s.fd;
  op.offset = s.number;
  op.address = address;
  op.length = static_cast<std::uint32_t>(length);
  return op;
}
inline recorded receive(const numbered& s, void* to, std::size_t n) {
  return on(s, penstock::operation_kind::receive, to, n);
}
inline recorded send(const numbered& s, std::string_view text) {
  return on(s, penstock::operation_kind::send, const_cast<char*>(text.data()), text.size());
}
inline recorded receive_lease(const numbered& s) {
  return on(s, penstock::operation_kind::receive_lease);
}
inline recorded poll(const numbered& s, unsigned events) {
  recorded op = on(s, penstock::operation_kind::poll);
  op.flags = events;
  return op;
}

/// Waits until it is over.
inline std::int32_t complete(penstock::driver& d, const recorded& op) {
  while (op.completions == 0) d.wait((penstock::duration::max)());
  return op.answer;
}
/// Lets the driver see what has happened, without sleeping.
inline void look(penstock::driver& d) { d.wait(penstock::duration::zero()); }

}  // namespace harness
