// penstock/io/endpoint.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Where a TCP socket is or goes to: an IPv4 or IPv6 address and a port. Names of hosts are the
/// resolver's affair; paths of UNIX sockets are unix_stream.hpp's.

#include <penstock/base/assert.hpp>
#include <penstock/base/result.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace penstock {

/// An IP address and a port.
///
/// **Shape.** "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80".
/// **Errors.** the constructor stops the program when the text is no address: it is for addresses
/// that the program knows. parse() is for those that come from elsewhere.
/// **Complexity.** 28 bytes; text is made and read by inet_ntop and inet_pton.
/// **Example.** @snippet tests/io/endpoint_test.cpp endpoint
/// **See also.** `tcp_stream::connect`, `tcp_listener::bind`.
class endpoint {
 public:
  /// IPv4, any address, port 0: as a local one, what the system chooses.
  endpoint() noexcept : v4_{} { v4_.sin_family = AF_INET; }
  /// **Parameters.** `address` - "127.0.0.1", "::1", "fe80::1%eth0"; no name, no brackets.
  endpoint(std::string_view address, std::uint16_t port) : endpoint() {
    auto made = of(address, port);
    if (!made) detail::stop_program(made.error().message().c_str());
    *this = *made;
  }
  /// From what the system gave; other families than IPv4 and IPv6 are `errc::invalid_option`.
  [[nodiscard]] static result<endpoint> of(const ::sockaddr* address, ::socklen_t length) {
    endpoint e;
    if (address->sa_family == AF_INET && length >= sizeof e.v4_) {
      std::memcpy(&e.v4_, address, sizeof e.v4_);
    } else if (address->sa_family == AF_INET6 && length >= sizeof e.v6_) {
      std::memcpy(&e.v6_, address, sizeof e.v6_);
    } else {
      return fail(errc::invalid_option, "endpoint", "an address that is neither IPv4 nor IPv6");
    }
    return e;
  }
  /// From an address without a port.
  [[nodiscard]] static result<endpoint> of(std::string_view address, std::uint16_t port);
  /// From "ADDRESS:PORT", an IPv6 address in brackets.
  [[nodiscard]] static result<endpoint> parse(std::string_view text);

  [[nodiscard]] bool is_v6() const noexcept { return v4_.sin_family == AF_INET6; }
  [[nodiscard]] std::uint16_t port() const noexcept {
    return ntohs(is_v6() ? v6_.sin6_port : v4_.sin_port);
  }
  /// The same address with another port.
  [[nodiscard]] endpoint with_port(std::uint16_t port) const noexcept {
    endpoint e = *this;
    (is_v6() ? e.v6_.sin6_port : e.v4_.sin_port) = htons(port);
    return e;
  }
  /// The address alone: "::1".
  [[nodiscard]] std::string address() const;
  /// As parse() reads it.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] const ::sockaddr* data() const noexcept {
    return reinterpret_cast<const ::sockaddr*>(&v4_);
  }
  [[nodiscard]] ::socklen_t size() const noexcept { return is_v6() ? sizeof v6_ : sizeof v4_; }

  friend bool operator==(const endpoint& a, const endpoint& b) noexcept {
    if (a.v4_.sin_family != b.v4_.sin_family || a.port() != b.port()) return false;
    if (!a.is_v6()) return a.v4_.sin_addr.s_addr == b.v4_.sin_addr.s_addr;
    return std::memcmp(&a.v6_.sin6_addr, &b.v6_.sin6_addr, sizeof a.v6_.sin6_addr) == 0 &&
           a.v6_.sin6_scope_id == b.v6_.sin6_scope_id;
  }

 private:
  union {
    ::sockaddr_in v4_;
    ::sockaddr_in6 v6_;
  };
};

}  // namespace penstock

#ifndef PENSTOCK_SEPARATE
#include <penstock/io/detail/endpoint_impl.hpp>
#endif
