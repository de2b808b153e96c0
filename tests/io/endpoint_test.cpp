// tests/io/endpoint_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/endpoint.hpp>

#include <support/stopped.hpp>

#include <string>
#include <type_traits>

#include <doctest/doctest.h>

using namespace penstock;

static_assert(std::is_trivially_copyable_v<endpoint> && sizeof(endpoint) == 28);

TEST_CASE("an endpoint is an address and a port") {
  // [endpoint]
  const endpoint home("127.0.0.1", 80);
  const endpoint six("::1", 443);
  const result<endpoint> read = endpoint::parse("[2001:db8::7]:8080");
  // [/endpoint]
  CHECK(home.text() == "127.0.0.1:80");
  CHECK(home.address() == "127.0.0.1");
  CHECK_FALSE(home.is_v6());
  CHECK(six.text() == "[::1]:443");
  CHECK(six.is_v6());
  REQUIRE(read);
  CHECK(read->text() == "[2001:db8::7]:8080");
  CHECK(read->port() == 8080);
  CHECK(home.with_port(81).text() == "127.0.0.1:81");
  CHECK(six.with_port(1).text() == "[::1]:1");
  CHECK(endpoint().text() == "0.0.0.0:0");
}

TEST_CASE("endpoints are equal when address, port and zone are") {
  CHECK(endpoint("127.0.0.1", 1) == endpoint("127.0.0.1", 1));
  CHECK_FALSE(endpoint("127.0.0.1", 1) == endpoint("127.0.0.1", 2));
  CHECK_FALSE(endpoint("127.0.0.1", 1) == endpoint("127.0.0.2", 1));
  CHECK(endpoint("::1", 1) == endpoint("0:0::1", 1));
  CHECK_FALSE(endpoint("::1", 1) == endpoint("::2", 1));
  CHECK_FALSE(endpoint("::", 1) == endpoint("0.0.0.0", 1));
  CHECK_FALSE(endpoint("fe80::1%1", 1) == endpoint("fe80::1%2", 1));
}

TEST_CASE("a zone is a name or a number") {
  const auto loopback = endpoint::of("fe80::1%lo", 5);
  REQUIRE(loopback);
  CHECK(loopback->text() == "[fe80::1%lo]:5");
  const auto other = endpoint::of("fe80::1%4000000", 5);
  REQUIRE(other);
  CHECK(other->text() == "[fe80::1%4000000]:5");
  for (const char* wrong :
       {"fe80::1%", "fe80::1%nosuchzone", "127.0.0.1%lo", "fe80::1%99999999999"})
    CHECK_FALSE(endpoint::of(wrong, 5));
}

TEST_CASE("text that is no endpoint is an error that shows it") {
  for (const char* wrong :
       {"", ":", "80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1: 80", "127.0.0:80", "localhost:80", "::1:80", "[::1]", "[::1]:", "[::1:80",
        "[127.0.0.1]:80", "[]:80", "127.0.0.1:80 "}) {
    CAPTURE(wrong);
    const auto e = endpoint::parse(wrong);
    REQUIRE_FALSE(e);
    CHECK(e.error() == errc::invalid_option);
  }
  CHECK(endpoint::parse("here:80").error().message() == "endpoint 'here:80': invalid option");
  for (const char* right : {"0.0.0.0:0", "255.255.255.255:65535", "[::]:0", "[::ffff:1.2.3.4]:9"})
    CHECK(endpoint::parse(right)->text() == right);
}

TEST_CASE("an endpoint is what the system gave") {
  const endpoint six("fe80::1%3", 9);
  const auto same = endpoint::of(six.data(), six.size());
  REQUIRE(same);
  CHECK(*same == six);
  ::sockaddr other{};
  other.sa_family = AF_UNIX;
  CHECK(endpoint::of(&other, sizeof other).error() == errc::invalid_option);
  CHECK_FALSE(endpoint::of(six.data(), sizeof(::sockaddr_in)));
}

TEST_CASE("an address in the program that is none stops it") {
  CHECK(support::stopped_with([] { static_cast<void>(endpoint("localhost", 80)); }) ==
        "endpoint 'localhost': invalid option");
}
