// tests/io/echo.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `co_await ok(sockets::echo(here, there))`: bytes go both ways between two connected streams, by
/// each kind of read and write, small and large.

#include <penstock/core.hpp>
#include <penstock/io/stream_socket.hpp>

#include <io/sockets.hpp>

#include <array>
#include <string>

#include <doctest/doctest.h>

namespace sockets {

template <class Stream>
penstock::task<penstock::result<>> echo(Stream& here, Stream& there) {
  using namespace penstock;
  constexpr std::size_t large = 256u << 10;
  const auto serve = [&]() -> task<result<>> {
    const auto text = co_await ok(read_exactly(there, 4));
    co_await ok(there.write_all(bytes_of(text)));
    buffer lease = co_await ok(there.receive());
    co_await ok(there.send(std::move(lease)));
    co_await ok(there.send(buffer::copy_of(std::string(large, 'x'))));
    co_return co_await there.send(buffer::copy_of(std::string(large, 'y')));
  };
  const auto visit = [&]() -> task<result<>> {
    std::array<std::span<const std::byte>, 2> halves{bytes_of("pi"), bytes_of("ng")};
    co_await ok(here.write_all(halves));
    auto text = co_await ok(read_exactly(here, 4));
    CHECK(text == "ping");
    co_await ok(here.send(buffer::copy_of("pong")));
    text = co_await ok(read_exactly(here, 4));
    CHECK(text == "pong");
    text = co_await ok(read_exactly(here, 2 * large));
    CHECK(text == std::string(large, 'x') + std::string(large, 'y'));
    co_return result<>{};
  };
  auto [served, visited] = co_await when_all_settled(serve(), visit());
  CHECK(served);
  co_return visited;
}

}  // namespace sockets
