// penstock/io/stream_socket.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What TCP and UNIX streams share: bytes in both directions.

#include <penstock/io/byte_stream.hpp>
#include <penstock/io/detail/request.hpp>
#include <penstock/io/detail/socket_awaiters.hpp>
#include <penstock/io/detail/socket_option.hpp>
#include <penstock/io/detail/vector_awaiters.hpp>

namespace penstock {
namespace detail {
template <class Awaiter, class Argument = void>
using socket_request = request<Awaiter, open_socket, Argument>;
}

/// A connected stream of bytes: the base of `tcp_stream` and `unix_stream`.
///
/// **Shape.** connected -> one read and one write at a time -> close() or the destructor.
/// **Errors.** as values, naming operation and peer: "read '127.0.0.1:80': Connection reset by
/// peer"; `errc::closed` for what close() ended, and for every operation on a closed stream or one
/// that was never open. Writing to a peer that is gone is EPIPE; no signal is raised.
/// **Thread-safety.** one loop at a time: release() it to hand it to another one.
/// **Lifetime.** stream and bytes stay where they are while an operation is in flight: destroying
/// or moving the stream then asserts. The destructor closes at once and drops the error.
class stream_socket {
 public:
  [[nodiscard]] bool is_open() const noexcept { return socket_.fd >= 0; }
  [[nodiscard]] int native_handle() const noexcept { return socket_.fd; }
  /// The descriptor, the caller's from here on; for another loop, or another library. Bytes that
  /// were received and not yet taken are lost.
  [[nodiscard]] int release() noexcept { return socket_.release(); }

  /// Reads what is there into `to`.
  ///
  /// **Result.** `result<std::size_t>`: at least 1; 0 when the peer has ended, or `to` is empty.
  /// **Suspends.** until there is a byte.
  /// **Cancellation.** loses nothing: bytes that arrived are delivered, or read next time.
  detail::socket_request<detail::receive_some_awaiter, std::span<std::byte>> read_some(
      std::span<std::byte> to) noexcept {
    return {socket_, std::move(to)};
  }
  /// Reads what is there into several spans, one after the other.
  ///
  /// **Parameters.** `to` - any number; the array of spans stays where it is, too.
  /// **Result.** `result<std::size_t>`: at least 1, perhaps less than fits; 0 when the peer has
  /// ended, or there is no room.
  /// **Suspends.** until there is a byte.
  /// **Cancellation.** loses nothing.
  detail::socket_request<detail::receive_vector_awaiter, std::span<const std::span<std::byte>>>
  read_some(std::span<const std::span<std::byte>> to) noexcept {
    return {socket_, std::move(to)};
  }
  /// Receives what is there as a lease on one of the loop's buffers (runtime_options): while
  /// nothing is there the connection holds none. For many connections that are mostly idle.
  ///
  /// **Result.** `result<buffer>`: empty when the peer has ended.
  /// **Suspends.** until there is a byte, and while all buffers are lent.
  /// **Cancellation.** loses nothing: what arrives is received next time.
  detail::socket_request<detail::receive_lease_awaiter> receive() noexcept {
    return detail::socket_request<detail::receive_lease_awaiter>(socket_);
  }
  /// Sends all of `from`.
  ///
  /// **Result.** `result<>`.
  /// **Suspends.** until the kernel has taken all.
  /// **Cancellation.** a part may have been sent: close the stream then.
  detail::socket_request<detail::send_all_awaiter, std::span<const std::byte>> write_all(
      std::span<const std::byte> from) noexcept {
    return {socket_, std::move(from)};
  }
  /// Sends all of several spans, one after the other: a header and a body, say.
  ///
  /// **Parameters.** `from` - any number; the array of spans stays where it is, too.
  /// **Result.** `result<>`.
  /// **Suspends.** until the kernel has taken all.
  /// **Cancellation.** a part may have been sent: close the stream then.
  detail::socket_request<detail::send_vector_awaiter, std::span<const std::span<const std::byte>>>
  write_all(std::span<const std::span<const std::byte>> from) noexcept {
    return {socket_, std::move(from)};
  }
  /// Sends all of `b`, which is given back as soon as that is possible.
  ///
  /// **Result.** `result<>`.
  /// **Suspends.** until the kernel has taken all.
  /// **Cancellation.** a part may have been sent: close the stream then.
  detail::socket_request<detail::send_buffer_awaiter, buffer> send(buffer b) noexcept {
    return {socket_, std::move(b)};
  }
  /// Ends one direction, or both.
  result<> shutdown(shutdown_side side = shutdown_side::send) noexcept {
    if (::shutdown(socket_.fd, static_cast<int>(side)) == 0) return {};
    return fail(detail::call_error("shutdown", socket_));
  }
  /// Ends what is in flight on it with `errc::closed`, waits for that, and closes.
  ///
  /// **Result.** `result<>`. Closed already: success.
  /// **Suspends.** only for what is in flight.
  /// **Cancellation.** a stop that comes before it begins; then the stream stays open.
  [[nodiscard]] detail::close_socket_awaiter close() noexcept {
    return detail::close_socket_awaiter(socket_);
  }

  /// Bytes that the kernel keeps for sending: the system reserves twice as many, for its own needs.
  result<> send_buffer_size(int bytes) noexcept {
    return detail::set_socket_option(socket_, SOL_SOCKET, SO_SNDBUF, bytes);
  }
  /// What the system has reserved: twice what was asked for.
  template <class Int = int>  // a template as those that io_leaf.hpp speaks of
  [[nodiscard]] result<Int> send_buffer_size() const noexcept {
    return option<Int>(SOL_SOCKET, SO_SNDBUF);
  }
  /// The same for what was received and not yet read; set it before connecting (connect_options)
  /// when it is to be more than 64 KiB.
  result<> receive_buffer_size(int bytes) noexcept {
    return detail::set_socket_option(socket_, SOL_SOCKET, SO_RCVBUF, bytes);
  }
  template <class Int = int>
  [[nodiscard]] result<Int> receive_buffer_size() const noexcept {
    return option<Int>(SOL_SOCKET, SO_RCVBUF);
  }
  /// Any option, by the system's names: `set_option(SOL_SOCKET, SO_PRIORITY, 6)`.
  template <class T>
  result<> set_option(int level, int name, const T& value) noexcept {
    return detail::set_socket_option(socket_, level, name, value);
  }
  template <class T>
  [[nodiscard]] result<T> option(int level, int name) const noexcept {
    return detail::socket_option<T>(socket_, level, name);
  }

 protected:
  stream_socket() noexcept = default;
  explicit stream_socket(int fd) noexcept : socket_(fd) {}
  explicit stream_socket(detail::open_socket&& s) noexcept : socket_(std::move(s)) {}
  stream_socket(stream_socket&&) noexcept = default;
  stream_socket& operator=(stream_socket&&) noexcept = default;
  ~stream_socket() = default;

  detail::open_socket socket_;
};
static_assert(static_cast<int>(shutdown_side::receive) == SHUT_RD &&
              static_cast<int>(shutdown_side::both) == SHUT_RDWR);

}  // namespace penstock
