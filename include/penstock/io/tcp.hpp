// penstock/io/tcp.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// TCP: streams and listeners.

#include <penstock/io/stream_socket.hpp>

#include <netinet/tcp.h>

namespace penstock {

/// A TCP connection.
class [[nodiscard]] tcp_stream : public stream_socket {
 public:
  /// No connection.
  tcp_stream() noexcept = default;
  /// Takes over `fd`, a connected socket.
  explicit tcp_stream(int fd) noexcept : stream_socket(fd) {}

 private:
  friend class tcp_listener;
};

/// Options of `tcp_listener::bind`.
struct listen_options {
  int backlog = 4096;       ///< connections that the kernel keeps until they are accepted
  bool reuse_port = false;  ///< several listeners share the port: one a loop, or a process
  bool nodelay = true;      ///< accepted streams send small pieces at once
};
static_assert(std::is_trivially_copyable_v<listen_options>);

class tcp_listener;
namespace detail {
class accept_awaiter : public leaf<accept_awaiter>, socket_leaf {
 public:
  explicit accept_awaiter(open_socket& s) noexcept : socket_leaf(operation_kind::accept, s) {
    flags = SOCK_CLOEXEC;
  }
  accept_awaiter(const accept_awaiter& o) noexcept : leaf<accept_awaiter>(), socket_leaf(o) {}
  ~accept_awaiter() {
    if (settle()) accepted_ = answer;
    if (accepted_ >= 0) ::close(accepted_);
  }
  suspension start(waiter& w) noexcept { return begin(w, &open_socket::reading); }
  [[nodiscard]] result<tcp_stream> await_resume() noexcept {
    leave();
    if (answer < 0) return fail(socket_error(answer, "accept", *socket_));
    return tcp_stream(std::exchange(accepted_, -1));
  }

 private:
  bool advance() noexcept override {
    accepted_ = answer;
    return true;
  }
  int accepted_ = -1;  // until it is taken
};
}  // namespace detail

/// Accepts TCP connections.
class [[nodiscard]] tcp_listener {
 public:
  tcp_listener() noexcept = default;
  static result<tcp_listener> bind(const endpoint& where, listen_options options = {}) {
    tcp_listener l(::socket(where.data()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int fd = l.socket_.fd;
    const int one = 1;
    if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        (options.reuse_port && ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0) ||
        (options.nodelay && ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) ||
        ::bind(fd, where.data(), where.size()) != 0 || ::listen(fd, options.backlog) != 0)
      return fail(errno_error(errno), "listen", where.text());
    return l;
  }
  [[nodiscard]] detail::accept_awaiter accept() noexcept { return detail::accept_awaiter(socket_); }

 private:
  explicit tcp_listener(int fd) noexcept : socket_(fd) {}
  detail::open_socket socket_;
};

}  // namespace penstock
