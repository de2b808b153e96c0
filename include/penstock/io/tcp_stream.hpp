// penstock/io/tcp_stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// TCP connections, and how they are made. Accepted ones come from tcp_listener.hpp; local ones are
/// cheaper by unix_stream.hpp.

#include <penstock/core/task.hpp>
#include <penstock/io/stream_socket.hpp>

#include <type_traits>

namespace penstock {
class tcp_stream;

/// Options of `tcp_stream::connect`.
struct connect_options {
  /// Where it connects from; the default leaves that to the system.
  endpoint local = {};
  /// Of several addresses: how long one is tried before the next one is tried, too.
  duration stagger = std::chrono::milliseconds(250);
  int send_buffer_size = 0;     ///< bytes, as stream_socket::send_buffer_size; 0: the system's
  int receive_buffer_size = 0;  ///< bytes; 0: the system's
  bool nodelay = true;          ///< small pieces are sent at once
};
static_assert(std::is_trivially_copyable_v<connect_options>);

/// `errc::invalid_option`, naming the member, when `o` cannot work.
[[nodiscard]] inline result<> validate(const connect_options& o) {
  if (o.stagger < duration::zero()) return fail(errc::invalid_option, "connect", "stagger");
  if (o.send_buffer_size < 0) return fail(errc::invalid_option, "connect", "send_buffer_size");
  if (o.receive_buffer_size < 0)
    return fail(errc::invalid_option, "connect", "receive_buffer_size");
  return {};
}

/// How a connection on which nothing happens is tried, and when it is given up.
struct keep_alive_options {
  duration idle = std::chrono::seconds(60);      ///< without a byte, before the first probe
  duration interval = std::chrono::seconds(10);  ///< between probes
  int count = 6;                                 ///< unanswered probes that end it
};
static_assert(std::is_trivially_copyable_v<keep_alive_options>);

/// `errc::invalid_option`, naming the member, when `o` cannot work: times are whole seconds, 1 to
/// 32767, the count is 1 to 127.
[[nodiscard]] inline result<> validate(const keep_alive_options& o) {
  constexpr duration least = std::chrono::seconds(1);
  constexpr duration most = std::chrono::seconds(32767);
  if (o.idle < least || o.idle > most) return fail(errc::invalid_option, "keep_alive", "idle");
  if (o.interval < least || o.interval > most)
    return fail(errc::invalid_option, "keep_alive", "interval");
  if (o.count < 1 || o.count > 127) return fail(errc::invalid_option, "keep_alive", "count");
  return {};
}

namespace detail {
class connect_awaiter;
}  // namespace detail

/// A TCP connection.
///
/// **Shape.** connect() or accept() -> reads and writes -> close() or the destructor.
/// **Thread-safety.** one loop at a time: release() it, and make a stream of the descriptor on the
/// other loop.
/// **Lifetime.** as `stream_socket`.
/// **Example.** @snippet tests/io/tcp_stream_test.cpp connect
/// **See also.** `tcp_listener`, `unix_stream`.
class [[nodiscard]] tcp_stream : public stream_socket {
 public:
  /// No connection.
  tcp_stream() noexcept = default;
  /// Takes over `fd`, a connected socket: of another loop, or another library.
  explicit tcp_stream(int fd) noexcept : stream_socket(fd) {}

  /// Connects to `to`.
  ///
  /// **Result.** `result<tcp_stream>`.
  /// **Errors.** "connect '127.0.0.1:80': Connection refused"; `errc::invalid_option`.
  /// **Suspends.** until the peer has answered, for as long as the system tries: two minutes,
  /// unless with_timeout() ends it.
  /// **Cancellation.** the connection is given up; one that was made anyway is delivered.
  /// **Complexity.** no allocation.
  [[nodiscard]] static detail::connect_awaiter connect(const endpoint& to,
                                                       connect_options options = {}) noexcept;
  /// Connects to the first of `addresses` that answers: "happy eyeballs", RFC 8305. The families
  /// take turns, beginning with that of the first address. While none has answered another one is
  /// tried each `stagger`, and at once when one has failed; the rest is given up when one has won.
  ///
  /// **Parameters.** `addresses` - in the order of preference; they stay until it has ended.
  /// **Result.** `result<tcp_stream>`.
  /// **Errors.** that of the first address, caused by those of the others: the message names all.
  /// **Suspends.** until one has answered or all have failed, and the others have ended.
  /// **Cancellation.** all are given up.
  template <class Stream = tcp_stream>
  [[nodiscard]] static task<result<Stream>> connect(std::span<const endpoint> addresses,
                                                    connect_options options = {});

  /// Its own end.
  template <class Endpoint = endpoint>
  [[nodiscard]] result<Endpoint> local_endpoint() const noexcept {
    return detail::address_of<Endpoint>(socket_, &::getsockname);
  }
  /// The other end, also when that is gone.
  template <class Endpoint = endpoint>
  [[nodiscard]] result<Endpoint> peer_endpoint() const noexcept {
    if (is_open() && socket_.peer.port() != 0) return socket_.peer;
    return detail::address_of<Endpoint>(socket_, &::getpeername);
  }

  /// Whether small pieces are sent at once; else they wait for the answer to what went before.
  result<> nodelay(bool yes) noexcept { return set_option(IPPROTO_TCP, TCP_NODELAY, yes ? 1 : 0); }
  /// Finds out when the peer has gone without a word.
  result<> keep_alive(keep_alive_options o = {});
  /// Whether close() and the destructor reset the connection: what was not sent yet is dropped, and
  /// the peer reads an error instead of the end.
  result<> reset_on_close(bool yes = true) noexcept {
    return set_option(SOL_SOCKET, SO_LINGER, ::linger{yes, 0});
  }

 private:
  friend detail::connect_awaiter;
  friend class tcp_listener;
  explicit tcp_stream(detail::open_socket&& s) noexcept : stream_socket(std::move(s)) {}
};

inline result<> tcp_stream::keep_alive(keep_alive_options o) {
  if (auto valid = validate(o); !valid) return valid;
  const auto seconds = [](duration d) { return static_cast<int>(d / std::chrono::seconds(1)); };
  const auto each = [&](int level, int name, int value) { return set_option(level, name, value); };
  result<> done = each(IPPROTO_TCP, TCP_KEEPIDLE, seconds(o.idle));
  if (done) done = each(IPPROTO_TCP, TCP_KEEPINTVL, seconds(o.interval));
  if (done) done = each(IPPROTO_TCP, TCP_KEEPCNT, o.count);
  if (done) done = each(SOL_SOCKET, SO_KEEPALIVE, 1);
  return done;
}

}  // namespace penstock

#include <penstock/io/detail/connect_awaiter.hpp>
#include <penstock/io/detail/connect_race.hpp>
