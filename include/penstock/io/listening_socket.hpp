// penstock/io/listening_socket.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What listeners of TCP and of UNIX sockets share: all but how a connection is accepted.

#include <penstock/io/detail/accept_leaf.hpp>
#include <penstock/io/detail/socket_awaiters.hpp>
#include <penstock/io/detail/socket_option.hpp>

namespace penstock {

/// A socket that accepts connections: the base of `tcp_listener` and `unix_listener`.
///
/// **Shape.** bound and listening -> one accept() at a time -> close() or the destructor.
/// **Errors.** as values, naming operation and address.
/// **Thread-safety.** one loop at a time.
/// **Lifetime.** it stays where it is while an accept() is in flight: destroying or moving it then
/// asserts.
class listening_socket {
 public:
  [[nodiscard]] bool is_open() const noexcept { return socket_.fd >= 0; }
  [[nodiscard]] int native_handle() const noexcept { return socket_.fd; }
  /// The descriptor, the caller's from here on.
  [[nodiscard]] int release() noexcept { return socket_.release(); }
  /// Ends an accept() that is in flight with `errc::closed`, waits for that, and closes.
  /// Connections that nobody has accepted are reset.
  ///
  /// **Result.** `result<>`. Closed already: success.
  /// **Suspends.** only for what is in flight.
  /// **Cancellation.** a stop that comes before it begins; then it stays open.
  [[nodiscard]] detail::close_socket_awaiter close() noexcept {
    return detail::close_socket_awaiter(socket_);
  }

 protected:
  listening_socket() noexcept = default;
  explicit listening_socket(int fd) noexcept : socket_(fd) {}
  listening_socket(listening_socket&&) noexcept = default;
  listening_socket& operator=(listening_socket&&) noexcept = default;
  ~listening_socket() = default;

  detail::open_socket socket_;
};

}  // namespace penstock
