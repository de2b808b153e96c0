// benchmarks/baseline/echo_listener.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What every hand-written echo server begins with. SIGTERM ends them: they do not catch it.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace baseline {

[[noreturn]] inline void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

/// Listens on a port of the loopback address and says "ready". `kind`: 0 or SOCK_NONBLOCK.
/// Accepted sockets have TCP_NODELAY too.
inline int listen_on(const char* port, int kind = 0) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);

  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | kind, 0);
  if (fd < 0) fail("socket");
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) fail("bind");
  if (::listen(fd, 4096) != 0) fail("listen");
  std::puts("ready");
  std::fflush(stdout);
  return fd;
}

}  // namespace baseline
