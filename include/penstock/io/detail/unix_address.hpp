// penstock/io/detail/unix_address.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The address of a UNIX socket: a path, or "@name" for a name that is in no file system.

#include <sys/socket.h>
#include <sys/un.h>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace penstock::detail {

struct unix_address {
  ::sockaddr_un a{};
  ::socklen_t size = 0;

  [[nodiscard]] ::sockaddr* data() noexcept { return reinterpret_cast<::sockaddr*>(&a); }
  // 0, or the negative errno.
  int set(std::string_view path) noexcept {
    if (path.empty() || path == "@" || path.find('\0') != path.npos) return -EINVAL;
    if (path.size() >= sizeof a.sun_path) return -ENAMETOOLONG;
    a = {};
    a.sun_family = AF_UNIX;
    std::memcpy(a.sun_path, path.data(), path.size());
    const bool abstract = path.front() == '@';
    if (abstract) a.sun_path[0] = '\0';
    // A zero at the end would belong to an abstract name.
    const std::size_t length = path.size() + (abstract ? 0 : 1);
    size = static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + length);
    return 0;
  }
};

}  // namespace penstock::detail
