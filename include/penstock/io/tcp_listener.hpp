// penstock/io/tcp_listener.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Accepts TCP connections. One loop: one listener; several: one each with `reuse_port`, or one
/// that hands its streams over (tcp_stream::release()).

#include <penstock/io/listening_socket.hpp>
#include <penstock/io/tcp_stream.hpp>

namespace penstock {

/// Options of `tcp_listener::bind`.
struct listen_options {
  int backlog = 4096;         ///< connections that the kernel keeps until they are accepted
  bool reuse_address = true;  ///< also while connections of an earlier listener linger
  bool reuse_port = false;    ///< several listeners share the port: one a loop, or a process
  bool v6_only = false;       ///< an IPv6 address does not listen to IPv4 as well
  bool nodelay = true;        ///< accepted streams send small pieces at once
  /// A connection is accepted when its first bytes are there, or after this time; whole seconds.
  /// Zero: at once.
  duration defer = duration::zero();
  int send_buffer_size = 0;     ///< bytes, of accepted streams; 0: the system's
  int receive_buffer_size = 0;  ///< bytes, of accepted streams; 0: the system's
};
static_assert(std::is_trivially_copyable_v<listen_options>);

/// `errc::invalid_option`, naming the member, when `o` cannot work.
[[nodiscard]] result<> validate(const listen_options& o);

namespace detail {
class accept_awaiter : public leaf<accept_awaiter>, accept_leaf {
 public:
  explicit accept_awaiter(open_socket& s) noexcept : accept_leaf(s) {}
  accept_awaiter(const accept_awaiter& o) noexcept : leaf<accept_awaiter>(), accept_leaf(o) {}
  ~accept_awaiter() { end_accept(); }

  suspension start(waiter& w) noexcept {
    address = &peer_;
    other = &size_;
    return launch_accept(w);
  }
  template <class Result = result<tcp_stream>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() noexcept;

 private:
  ::sockaddr_in6 peer_;  // or IPv4
  ::socklen_t size_ = sizeof peer_;
};
}  // namespace detail

/// Accepts TCP connections.
///
/// **Shape.** bind() -> accept(), one at a time -> close() or the destructor.
/// **Thread-safety.** one loop at a time.
/// **Lifetime.** as `listening_socket`.
/// **Example.** @snippet tests/io/tcp_listener_test.cpp accept
/// **See also.** `tcp_stream`, `unix_listener`.
class [[nodiscard]] tcp_listener : public listening_socket {
 public:
  /// Does not listen.
  tcp_listener() noexcept = default;
  /// Takes over `fd`, a listening socket: of a supervisor, say.
  explicit tcp_listener(int fd) noexcept : listening_socket(fd) {
    detail::address_of(fd, &::getsockname, socket_.peer);
  }

  /// Listens at `where`; port 0: one that is free, local_endpoint() says which.
  ///
  /// **Errors.** "listen '127.0.0.1:80': Address already in use"; `errc::invalid_option`.
  template <class Listener = tcp_listener>
  [[nodiscard]] static result<Listener> bind(const endpoint& where, listen_options options = {}) {
    Listener made;
    if (error e = made.listen(where, options); e.code()) return fail(std::move(e));
    return made;
  }
  /// Waits for a connection. One that is gone before it could be accepted is passed over; when the
  /// process or the system is out of descriptors or memory it tries again after 5 ms, 10 ms and so
  /// on up to 1 s, and says so in the log, once a minute.
  ///
  /// **Result.** `result<tcp_stream>`.
  /// **Errors.** `errc::closed`, and what is wrong with the listener itself.
  /// **Suspends.** until there is a connection.
  /// **Cancellation.** loses nothing: a connection that was accepted is delivered, others wait for
  /// the next accept().
  /// **Complexity.** no allocation.
  [[nodiscard]] detail::accept_awaiter accept() noexcept { return detail::accept_awaiter(socket_); }
  /// Where it listens.
  template <class Endpoint = endpoint>
  [[nodiscard]] result<Endpoint> local_endpoint() const noexcept {
    return detail::address_of<Endpoint>(socket_, &::getsockname);
  }

 private:
  friend detail::accept_awaiter;
  static tcp_stream accepted(int fd, const ::sockaddr* peer, ::socklen_t size) noexcept {
    detail::open_socket s(fd);
    s.peer.assign(peer, size);
    return tcp_stream(std::move(s));
  }
  // Code 0: it does.
  error listen(const endpoint& where, const listen_options& o);
  // 0, or the negative errno.
  static int prepare(int fd, const endpoint& where, const listen_options& o) noexcept;
};

template <class Result>
Result detail::accept_awaiter::await_resume() noexcept {
  const int got = take();
  if (got < 0) return fail(why());
  return tcp_listener::accepted(got, reinterpret_cast<::sockaddr*>(&peer_), size_);
}

}  // namespace penstock

#ifndef PENSTOCK_SEPARATE
#include <penstock/io/detail/tcp_listener_impl.hpp>
#endif
