// penstock/io/detail/tcp_listener_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of tcp_listener.hpp: how one comes to listen.

#include <penstock/io/tcp_listener.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <cerrno>
#include <utility>

namespace penstock {

PENSTOCK_ONCE result<> validate(const listen_options& o) {
  if (o.backlog < 1) return fail(errc::invalid_option, "listen", "backlog");
  if (o.defer < duration::zero() || o.defer > duration(std::chrono::hours(1)))
    return fail(errc::invalid_option, "listen", "defer");
  if (o.send_buffer_size < 0) return fail(errc::invalid_option, "listen", "send_buffer_size");
  if (o.receive_buffer_size < 0) return fail(errc::invalid_option, "listen", "receive_buffer_size");
  return {};
}

PENSTOCK_ONCE int tcp_listener::prepare(int fd, const endpoint& where,
                                        const listen_options& o) noexcept {
  if (fd < 0) return -errno;
  const auto set = [fd](int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
  };
  const int early = detail::set_early(fd, {o.nodelay, o.send_buffer_size, o.receive_buffer_size});
  if (early < 0) return early;
  const auto defer = static_cast<int>(o.defer / std::chrono::seconds(1));
  const bool good = set(SOL_SOCKET, SO_REUSEADDR, o.reuse_address) &&
                    set(SOL_SOCKET, SO_REUSEPORT, o.reuse_port) &&
                    (!where.is_v6() || set(IPPROTO_IPV6, IPV6_V6ONLY, o.v6_only)) &&
                    (defer == 0 || set(IPPROTO_TCP, TCP_DEFER_ACCEPT, defer)) &&
                    ::bind(fd, where.data(), where.size()) == 0 && ::listen(fd, o.backlog) == 0;
  return good ? 0 : -errno;
}

PENSTOCK_ONCE error tcp_listener::listen(const endpoint& where, const listen_options& o) {
  if (auto valid = validate(o); !valid) return std::move(valid.error());
  socket_ = detail::open_socket(::socket(where.data()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int r = prepare(socket_.fd, where, o);
  if (r < 0) return errno_error(-r).with("listen", where.text());
  detail::address_of(socket_.fd, &::getsockname, socket_.peer);
  return {};
}

}  // namespace penstock
