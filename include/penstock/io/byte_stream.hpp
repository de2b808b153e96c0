// penstock/io/byte_stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What TLS, protocols and tests ask of a connection: a concept. `tcp_stream`, `unix_stream` and
/// `test::memory_stream` are byte streams.

#include <penstock/core/ok.hpp>
#include <penstock/io/stream_socket.hpp>

#include <concepts>
#include <cstddef>
#include <span>

namespace penstock {
namespace detail {
template <class A, class R>
concept awaits_to = awaitable<A> && std::same_as<await_result_t<A>, R>;
}  // namespace detail

/// A connection that carries bytes in both directions.
///
/// **Shape.** `read_some(span)` gives at least a byte, or 0 at the end; `write_all(span)` sends
/// all; `shutdown(side)` ends a direction, at once or awaited: `co_await ok(s.shutdown())` suits
/// both; `close()` ends what is in flight with `errc::closed` and waits for it.
/// **Cancellation.** a stopped read loses nothing; after a stopped write a part may have been sent.
/// **Thread-safety.** one loop at a time; one read and one write at a time.
/// **Lifetime.** stream and bytes stay where they are while an operation is in flight.
/// **Example.** @snippet tests/io/byte_stream_test.cpp protocol
template <class S>
concept byte_stream = std::movable<S> &&
    requires(S& s, std::span<std::byte> to, std::span<const std::byte> from, shutdown_side side) {
  { s.read_some(to) } -> detail::awaits_to<result<std::size_t>>;
  { s.write_all(from) } -> detail::awaits_to<result<>>;
  { s.close() } -> detail::awaits_to<result<>>;
  ok(s.shutdown(side));
};

}  // namespace penstock
