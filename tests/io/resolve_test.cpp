// tests/io/resolve_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/core.hpp>
#include <penstock/io.hpp>

#include <io/sockets.hpp>
#include <support/each_driver.hpp>

#include <netdb.h>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;

// [resolve]
// Blocks, and returns when the system says so: no deadline reaches it.
static result<std::vector<endpoint>> look_up(const std::string& host, const std::string& port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int why = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found))
    return fail(errc::not_found, "resolve", host + ": " + ::gai_strerror(why));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, &::freeaddrinfo);
  std::vector<endpoint> all;
  for (const addrinfo* a = found; a; a = a->ai_next)
    if (auto e = endpoint::of(a->ai_addr, a->ai_addrlen)) all.push_back(*e);
  return all;
}

static task<result<tcp_stream>> connect_to(std::string host, std::string port) {
  const auto blocking = [&] { return look_up(host, port); };
  const auto addresses = co_await ok(offload(blocking));
  co_return co_await tcp_stream::connect(addresses);
}
// [/resolve]

TEST_CASE("a name is looked up on the cpu pool, and connected to") {
  support::on_each_driver([](runtime& rt) {
    const auto body = []() -> task<result<>> {
      auto listener = co_await ok(tcp_listener::bind(endpoint("127.0.0.1", 0)));
      const endpoint at = co_await ok(listener.local_endpoint());
      auto here = co_await ok(connect_to("127.0.0.1", std::to_string(at.port())));
      const endpoint peer = co_await ok(here.peer_endpoint());
      CHECK(peer == at);
      const auto refused = co_await connect_to("127.0.0.1", "no such service");
      REQUIRE(!refused);
      CHECK(refused.error() == errc::not_found);
      co_return result<>{};
    };
    sockets::run(rt, body());
  });
}
