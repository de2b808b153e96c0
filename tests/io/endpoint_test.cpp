// tests/io/endpoint_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/endpoint.hpp>

#include <string>

#include <doctest/doctest.h>

using namespace penstock;

// [endpoint]
static std::string both_ways(std::string_view text) {
  result<endpoint> e = endpoint::parse(text);  // from a configuration file, say
  if (!e) return e.error().message();
  return e->text();
}
static const endpoint loopback{"127.0.0.1", 8080};  // an address that the program knows
// [/endpoint]

TEST_CASE("an address and a port become text and come back") {
  CHECK(loopback.text() == "127.0.0.1:8080");
  CHECK(loopback.address() == "127.0.0.1");
  CHECK(loopback.port() == 8080);
  CHECK_FALSE(loopback.is_v6());
  for (const char* text : {"0.0.0.0:0", "127.0.0.1:65535", "[::1]:80", "[2001:db8::7]:443",
                           "[::ffff:1.2.3.4]:1", "[fe80::1%lo]:9", "[fe80::1%4711]:9"})
    CHECK(both_ways(text) == text);
}

TEST_CASE("what is no address and port is an error that shows it") {
  for (const char* text : {"",
                           ":",
                           "80",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:x",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:80 ",
                           " 127.0.0.1:80",
                           "localhost:80",
                           "::1:80",
                           "[::1]",
                           "[::1]:",
                           "[::1:80",
                           "[127.0.0.1]:80",
                           "[]:80",
                           "1.2.3:80",
                           "127.0.0.1%lo:80",
                           "[fe80::1%]:9",
                           "[fe80::1%no-such-zone]:9",
                           "[fe80::1%4711x]:9"}) {
    CAPTURE(text);
    const auto e = endpoint::parse(text);
    CHECK(e.error() == errc::invalid_option);
    CHECK(e.error().object() == text);
  }
}

TEST_CASE("the system's addresses: IPv4 and IPv6, and no others") {
  const endpoint v6{"::1", 9};
  CHECK(endpoint::of(v6.data(), v6.size()) == v6);
  CHECK(endpoint::of(loopback.data(), loopback.size()) == loopback);
  ::sockaddr other{};
  other.sa_family = AF_UNIX;
  CHECK(endpoint::of(&other, sizeof other).error() == errc::invalid_option);
  CHECK(endpoint::of(v6.data(), 3).error() == errc::invalid_option);
}

TEST_CASE("endpoints are equal when family, address, zone and port are") {
  CHECK(endpoint{"::1", 9} == endpoint{"0:0:0:0:0:0:0:1", 9});
  CHECK(endpoint{"::1", 9} != endpoint{"::1", 8});
  CHECK(endpoint{"::1", 9} != endpoint{"::2", 9});
  CHECK(endpoint{"fe80::1%1", 9} != endpoint{"fe80::1%2", 9});
  CHECK(endpoint{"::", 9} != endpoint{"0.0.0.0", 9});
  CHECK(loopback.with_port(9) == endpoint{"127.0.0.1", 9});
  CHECK(endpoint{"::1", 8}.with_port(9) == endpoint{"::1", 9});
  CHECK(endpoint().text() == "0.0.0.0:0");
}
