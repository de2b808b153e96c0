// penstock/io/detail/connect_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of connect_awaiter.hpp.

#include <penstock/io/detail/connect_awaiter.hpp>
#include <penstock/io/tcp_stream.hpp>

#include <sys/socket.h>
#include <cerrno>
#include <new>

namespace penstock {
namespace detail {

PENSTOCK_ONCE int connect_awaiter::open() noexcept {
  invalid_ = !validate(options_);
  if (invalid_) return -EINVAL;
  socket_ = open_socket(::socket(to_.data()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket_.fd < 0) return -errno;
  const int r = set_early(
      socket_.fd, {options_.nodelay, options_.send_buffer_size, options_.receive_buffer_size});
  if (r < 0 || options_.local == endpoint()) return r;
  return ::bind(socket_.fd, options_.local.data(), options_.local.size()) == 0 ? 0 : -errno;
}
PENSTOCK_NOINLINE PENSTOCK_ONCE error connect_awaiter::why() const noexcept {
  if (invalid_) return validate(options_).error();
  const error e = answer == -ECANCELED ? error(errc::closed) : errno_error(-answer);
  try {
    return e.with("connect", to_.text());
  } catch (const std::bad_alloc&) {
    return e;
  }
}

}  // namespace detail
}  // namespace penstock
