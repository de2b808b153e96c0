// tests/io/byte_stream_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/byte_stream.hpp>

#include <penstock/core.hpp>
#include <penstock/io/tcp.hpp>
#include <penstock/io/unix_stream.hpp>
#include <penstock/test/memory_stream.hpp>
#include <penstock/test/test_runtime.hpp>

#include <io/sockets.hpp>

#include <array>
#include <string>

#include <doctest/doctest.h>

using namespace penstock;
using sockets::bytes_of;
using sockets::text_of;

static_assert(byte_stream<tcp_stream> && byte_stream<unix_stream> &&
              byte_stream<test::memory_stream>);
static_assert(!byte_stream<tcp_listener> && !byte_stream<int> && !byte_stream<buffer>);
// Of a layer like TLS, whose end is a message: shutdown() is awaited.
namespace {
struct layered : test::memory_stream {
  task<result<>> shutdown(shutdown_side side = shutdown_side::send) {
    co_return test::memory_stream::shutdown(side);
  }
};
}  // namespace
static_assert(byte_stream<layered>);

// [protocol]
// A line and its echo, over whatever carries bytes.
template <byte_stream Stream>
static task<result<std::string>> shout(Stream& peer, std::string_view line) {
  co_await ok(peer.write_all(std::as_bytes(std::span(line))));
  co_await ok(peer.shutdown());
  std::string answer;
  std::array<std::byte, 64> some;
  while (const std::size_t n = co_await ok(peer.read_some(some)))
    answer.append(reinterpret_cast<const char*>(some.data()), n);
  co_await ok(peer.close());
  co_return answer;
}
// [/protocol]

template <byte_stream Stream>
static task<result<>> echo(Stream& peer) {
  std::array<std::byte, 64> some;
  while (const std::size_t n = co_await ok(peer.read_some(some)))
    co_await ok(peer.write_all(std::span(some).first(n)));
  co_return co_await peer.close();
}
template <byte_stream Stream>
static task<result<>> echoed(Stream& here, Stream& there) {
  auto [answer, served] = co_await when_all_settled(shout(here, "hello"), echo(there));
  CHECK(answer == std::string("hello"));
  CHECK(served);
  co_return result<>{};
}

TEST_CASE("one protocol runs over TCP, UNIX sockets and memory") {
  support::on_each_driver([](runtime& rt) {
    const auto tcp = [&]() -> task<result<>> {
      auto both = co_await ok(sockets::connected());
      co_return co_await echoed(both.here, both.there);
    };
    sockets::run(rt, tcp());
    const auto local = [&]() -> task<result<>> {
      auto both = co_await ok(unix_stream::pair());
      co_return co_await echoed(both.first, both.second);
    };
    sockets::run(rt, local());
  });
  // [memory]
  auto [here, there] = test::memory_stream::pair({.longest_read = 2});
  test::test_runtime rt({.seed = 7});
  const result<> outcome = rt.run(echoed(here, there));
  // [/memory]
  CHECK(outcome);
  auto both = test::memory_stream::pair();
  layered a{std::move(both.first)};
  layered b{std::move(both.second)};
  CHECK(rt.run(echoed(a, b)));
}
