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
#include <utility>

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
    if (const error wrong = read(address, port); wrong.code())
      detail::stop_program(wrong.message().c_str());
  }
  /// Becomes what the system gave. False: neither IPv4 nor IPv6, and nothing has changed.
  bool assign(const ::sockaddr* address, ::socklen_t length) noexcept {
    if (address->sa_family == AF_INET && length >= sizeof v4_) {
      std::memcpy(&v4_, address, sizeof v4_);
    } else if (address->sa_family == AF_INET6 && length >= sizeof v6_) {
      std::memcpy(&v6_, address, sizeof v6_);
    } else {
      return false;
    }
    return true;
  }
  /// From what the system gave; other families than IPv4 and IPv6 are `errc::invalid_option`.
  template <class Endpoint = endpoint>
  [[nodiscard]] static result<Endpoint> of(const ::sockaddr* address, ::socklen_t length) {
    Endpoint e;
    if (e.assign(address, length)) return e;
    return fail(errc::invalid_option, "endpoint", "an address that is neither IPv4 nor IPv6");
  }
  /// From an address without a port.
  template <class Endpoint = endpoint>
  [[nodiscard]] static result<Endpoint> of(std::string_view address, std::uint16_t port) {
    Endpoint e;
    if (error wrong = e.read(address, port); wrong.code()) return fail(std::move(wrong));
    return e;
  }
  /// From "ADDRESS:PORT", an IPv6 address in brackets.
  template <class Endpoint = endpoint>
  [[nodiscard]] static result<Endpoint> parse(std::string_view text) {
    Endpoint e;
    if (error wrong = e.read(text); wrong.code()) return fail(std::move(wrong));
    return e;
  }

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
  // Code 0: it is read.
  error read(std::string_view address, std::uint16_t port);
  error read(std::string_view text);

  union {
    ::sockaddr_in v4_;
    ::sockaddr_in6 v6_;
  };
};

}  // namespace penstock

#ifndef PENSTOCK_SEPARATE
#include <penstock/io/detail/endpoint_impl.hpp>
#endif
