// penstock/io/detail/endpoint_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of endpoint.hpp: addresses as text.

#include <penstock/io/endpoint.hpp>

#include <arpa/inet.h>
#include <net/if.h>
#include <cstdint>
#include <string>

namespace penstock {
namespace detail {
// Digits alone, no more than `most`. std::from_chars costs a hundred times as much to parse.
inline bool read_number(std::string_view digits, std::uint32_t most, std::uint32_t& to) noexcept {
  std::uint64_t n = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    n = n * 10 + static_cast<unsigned>(c - '0');
    if (n > most) return false;
  }
  to = static_cast<std::uint32_t>(n);
  return !digits.empty();
}
}  // namespace detail

PENSTOCK_ONCE error endpoint::read(std::string_view address, std::uint16_t port) {
  const std::string text(address.substr(0, address.find('%')));
  *this = endpoint();
  if (::inet_pton(AF_INET, text.c_str(), &v4_.sin_addr) == 1 && text.size() == address.size()) {
    v4_.sin_port = htons(port);
    return {};
  }
  v6_ = {};
  v6_.sin6_family = AF_INET6;
  v6_.sin6_port = htons(port);
  const auto wrong = [&] { return error(errc::invalid_option).with("endpoint", address); };
  if (::inet_pton(AF_INET6, text.c_str(), &v6_.sin6_addr) != 1) return wrong();
  if (text.size() == address.size()) return {};
  const std::string zone(address.substr(text.size() + 1));
  v6_.sin6_scope_id = ::if_nametoindex(zone.c_str());
  if (v6_.sin6_scope_id == 0 && !detail::read_number(zone, UINT32_MAX, v6_.sin6_scope_id))
    return wrong();
  return {};
}

PENSTOCK_ONCE error endpoint::read(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto wrong = [&] { return error(errc::invalid_option).with("endpoint", text); };
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  std::uint32_t port = 0;
  if (!detail::read_number(text.substr(colon + 1), UINT16_MAX, port)) return wrong();
  const bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  if (read(host, static_cast<std::uint16_t>(port)).code() || is_v6() != brackets) return wrong();
  return {};
}

PENSTOCK_ONCE std::string endpoint::address() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (!is_v6()) return ::inet_ntop(AF_INET, &v4_.sin_addr, text, sizeof text);
  std::string s = ::inet_ntop(AF_INET6, &v6_.sin6_addr, text, sizeof text);
  if (v6_.sin6_scope_id == 0) return s;
  char zone[IF_NAMESIZE] = {};
  s += '%';
  s += ::if_indextoname(v6_.sin6_scope_id, zone) ? zone : std::to_string(v6_.sin6_scope_id);
  return s;
}

PENSTOCK_ONCE std::string endpoint::text() const {
  std::string s;
  if (is_v6()) s += '[';
  s += address();
  s += is_v6() ? "]:" : ":";
  s += std::to_string(port());
  return s;
}

}  // namespace penstock
