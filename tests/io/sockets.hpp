// tests/io/sockets.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What tests of sockets share: texts as bytes, connected streams, a peer that is a plain
/// descriptor.

#include <penstock/core.hpp>
#include <penstock/io/tcp.hpp>
#include <penstock/runtime/runtime.hpp>

#include <support/each_driver.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace sockets {

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Runs a test's task: an error fails the test, and is shown.
inline void run(penstock::runtime& rt, penstock::task<penstock::result<>> t) {
  const auto outcome = rt.run(std::move(t));
  CHECK_MESSAGE(outcome, (outcome ? "" : outcome.error().message()));
}
template <class T>
std::string message_of(const penstock::result<T>& r) {
  return r ? "" : r.error().message();
}

struct tcp_pair {
  penstock::tcp_stream here, there;
};
inline penstock::task<penstock::result<tcp_pair>> connected(
    penstock::listen_options listening = {}, penstock::connect_options connecting = {}) {
  using namespace penstock;
  auto listener = co_await ok(tcp_listener::bind(endpoint("127.0.0.1", 0), listening));
  const endpoint at = co_await ok(listener.local_endpoint());
  tcp_pair both;
  both.here = co_await ok(tcp_stream::connect(at, connecting));
  both.there = co_await ok(listener.accept());
  co_return std::move(both);
}

/// Reads until the end.
template <class Stream>
penstock::task<penstock::result<std::string>> read_all(Stream& from) {
  using namespace penstock;
  std::string text;
  std::array<std::byte, 4096> some;
  while (const std::size_t n = co_await ok(from.read_some(some)))
    text += text_of(std::span(some).first(n));
  co_return text;
}
/// Reads `n` bytes.
template <class Stream>
penstock::task<penstock::result<std::string>> read_exactly(Stream& from, std::size_t n) {
  using namespace penstock;
  std::string text(n, '\0');
  std::size_t done = 0;
  while (done < n) {
    const auto rest = std::as_writable_bytes(std::span(text)).subspan(done);
    const std::size_t some = co_await ok(from.read_some(rest));
    if (some == 0) break;
    done += some;
  }
  text.resize(done);
  co_return text;
}

/// Ends the connection with a RST.
inline void reset(int fd) {
  const ::linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd);
}
inline void send_text(int fd, std::string_view text) {
  CHECK(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<::ssize_t>(text.size()));
}
inline bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
/// Waits until the other end's bytes, or its end, have arrived at the socket.
inline void wait_readable(int fd) {
  ::pollfd p{fd, POLLIN, 0};
  CHECK(::poll(&p, 1, 10'000) == 1);
}

}  // namespace sockets
