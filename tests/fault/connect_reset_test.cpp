// tests/fault/connect_reset_test.cpp
// SPDX-License-Identifier: BSL-1.0
//
// A connection that nobody answers, then refuses: the kernel asks again after a second.
#include <penstock/core.hpp>
#include <penstock/io/tcp.hpp>
#include <penstock/runtime.hpp>

#include <io/sockets.hpp>

#include <chrono>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
// To a listener without room for one more, which then is closed.
task<result<>> connect_and_reset() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const endpoint any("127.0.0.1", 0);
  CHECK(::bind(fd, any.data(), any.size()) == 0);
  CHECK(::listen(fd, 0) == 0);
  tcp_listener listener(fd);
  const endpoint at = co_await ok(listener.local_endpoint());
  std::vector<tcp_stream> full;
  for (bool waits = false; !waits;) {
    auto one = co_await with_timeout(20ms, tcp_stream::connect(at));
    waits = !one;
    if (one) full.push_back(std::move(*one));
    if (full.size() > 100) co_return fail(errc::protocol_error);
  }
  const auto go = [&]() -> task<result<>> {
    co_await yield();
    co_return co_await listener.close();
  };
  auto [made, closed] = co_await when_all_settled(tcp_stream::connect(at), go());
  CHECK(closed);
  CHECK(made.error() == std::errc::connection_refused);
  CHECK(sockets::message_of(made).starts_with("connect '" + at.text() + "': "));
  // Those that were not accepted.
  for (auto& s : full) {
    const auto end = co_await s.receive();
    CHECK(end.error() == std::errc::connection_reset);
  }
  co_return result<>{};
}
}  // namespace

TEST_CASE("a connection that waits for its answer is reset") {
  support::on_each_driver([](runtime& rt) {
    sockets::run(rt, connect_and_reset());
    CHECK(rt.loop(0).io()->in_flight() == 0);
  });
}
