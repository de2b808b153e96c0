// penstock/io/detail/open_socket_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of open_socket.hpp: what a socket is called in messages.

#include <penstock/io/detail/open_socket.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

namespace penstock::detail {

PENSTOCK_ONCE std::string open_socket::name() const {
  if (peer.port() != 0) return peer.text();
  ::sockaddr_un a{};
  for (auto* const get : {&::getpeername, &::getsockname}) {
    ::socklen_t n = sizeof a;
    if (get(fd, reinterpret_cast<::sockaddr*>(&a), &n) != 0) continue;
    if (a.sun_family != AF_UNIX) {
      endpoint e;
      if (e.assign(reinterpret_cast<::sockaddr*>(&a), n)) return e.text();
    } else if (n > offsetof(::sockaddr_un, sun_path)) {
      const std::size_t length = n - offsetof(::sockaddr_un, sun_path);
      if (a.sun_path[0] == '\0') return '@' + std::string(a.sun_path + 1, length - 1);
      return std::string(a.sun_path, ::strnlen(a.sun_path, length));
    }
  }
  return "socket";
}

PENSTOCK_NOINLINE PENSTOCK_ONCE error socket_error(int answer, const char* verb,
                                                   const open_socket& s) noexcept {
  error e = answer == -ECANCELED ? error(errc::closed) : errno_error(-answer);
  try {
    return std::move(e).with(verb, s.name());
  } catch (...) {
    return e;
  }
}

}  // namespace penstock::detail
