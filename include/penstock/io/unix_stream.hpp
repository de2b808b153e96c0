// penstock/io/unix_stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Streams between processes of one machine. Accepted ones come from unix_listener.hpp.

#include <penstock/io/detail/descriptor_awaiters.hpp>
#include <penstock/io/detail/pausing.hpp>
#include <penstock/io/detail/unix_address.hpp>
#include <penstock/io/stream_socket.hpp>

#include <string>
#include <utility>

namespace penstock {
class unix_stream;

namespace detail {
class unix_connect_awaiter : public leaf<unix_connect_awaiter>, pausing<io_leaf> {
 public:
  explicit unix_connect_awaiter(std::string path) noexcept
      : pausing<io_leaf>(operation_kind::connect), path_(std::move(path)) {}
  unix_connect_awaiter(unix_connect_awaiter&& o) noexcept
      : leaf<unix_connect_awaiter>(), pausing<io_leaf>(o), path_(std::move(o.path_)) {}
  ~unix_connect_awaiter() { settle(); }  // before the socket goes

  suspension start(waiter& w) noexcept {
    if (stop_requested(w)) [[unlikely]]
      return stopped_now(w);
    answer = to_.set(path_);
    if (answer < 0) return resume_now(w);
    socket_ = open_socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket_.fd < 0) {
      answer = -errno;
      return resume_now(w);
    }
    fd = socket_.fd;
    offset = socket_.number;
    address = to_.data();
    length = to_.size;
    return launch(w);
  }
  template <class Result = result<unix_stream>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() noexcept;

 private:
  // The listener's backlog is full.
  bool advance() noexcept override { return answer == -EAGAIN ? pause() : true; }

  std::string path_;
  unix_address to_;
  open_socket socket_;
};
}  // namespace detail

/// A connection within the machine.
///
/// **Shape.** connect(), pair() or accept() -> reads and writes -> close() or the destructor.
/// **Thread-safety.** one loop at a time: release() it, and make a stream of the descriptor on the
/// other loop.
/// **Lifetime.** as `stream_socket`.
/// **Example.** @snippet tests/io/unix_stream_test.cpp descriptors
/// **See also.** `unix_listener`, `tcp_stream`.
class [[nodiscard]] unix_stream : public stream_socket {
 public:
  /// No connection.
  unix_stream() noexcept = default;
  /// Takes over `fd`, a connected socket: of another loop, or another library.
  explicit unix_stream(int fd) noexcept : stream_socket(fd) {}

  /// Connects to the listener at `path`; "@name" is a name that is in no file system.
  ///
  /// **Result.** `result<unix_stream>`.
  /// **Errors.** "connect '/run/x': No such file or directory".
  /// **Suspends.** while the listener has no room for another connection.
  /// **Cancellation.** the connection is given up; one that was made anyway is delivered.
  [[nodiscard]] static detail::unix_connect_awaiter connect(std::string path) noexcept {
    return detail::unix_connect_awaiter(std::move(path));
  }
  /// Two streams that are connected with each other.
  template <class Stream = unix_stream>
  [[nodiscard]] static result<std::pair<Stream, Stream>> pair();

  /// Sends all of `with`, and the descriptors with its first byte: the peer gets copies of them.
  ///
  /// **Parameters.** `fds` - at most 253; `with` - a byte at least.
  /// **Result.** `result<>`.
  /// **Suspends.** until the kernel has taken all.
  /// **Cancellation.** all or nothing of the descriptors has been sent: close the stream then.
  [[nodiscard]] detail::send_descriptors_awaiter send_descriptors(std::span<const int> fds,
                                                                  std::span<const std::byte> with) {
    return {socket_, fds, with};
  }
  /// Reads what is there into `to`, and the descriptors that came with it. Other reads drop
  /// descriptors; after receive() this one is a broken contract.
  ///
  /// **Result.** `result<received_descriptors>`; they are not inherited by other programs.
  /// **Errors.** EMFILE: some descriptors could not be taken, for want of room; they, the others
  /// and the bytes are lost.
  /// **Suspends.** until there is a byte.
  /// **Cancellation.** loses nothing: what has arrived is delivered, or read next time.
  [[nodiscard]] detail::receive_descriptors_awaiter receive_descriptors(std::span<std::byte> to) {
    return {socket_, to};
  }

 private:
  friend detail::unix_connect_awaiter;
  friend class unix_listener;
  explicit unix_stream(detail::open_socket&& s) noexcept : stream_socket(std::move(s)) {}
};

template <class Stream>
result<std::pair<Stream, Stream>> unix_stream::pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(errno_error(errno), "socketpair");
  return std::pair(Stream(detail::open_socket(ends[0])), Stream(detail::open_socket(ends[1])));
}

template <class Result>
Result detail::unix_connect_awaiter::await_resume() noexcept {
  if (answer < 0) return fail(errno_error(-answer), "connect", path_);
  return unix_stream(std::move(socket_));
}

}  // namespace penstock
