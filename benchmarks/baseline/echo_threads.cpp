// SPDX-License-Identifier: BSL-1.0
// An echo server with a thread for each connection.
//
//   echo_threads PORT
#include "echo_listener.hpp"

#include <unistd.h>

#include <thread>

namespace {

bool send_all(int fd, const char* from, std::size_t n) {
  while (n > 0) {
    const ssize_t sent = ::send(fd, from, n, MSG_NOSIGNAL);
    if (sent < 0) return false;
    from += sent;
    n -= static_cast<std::size_t>(sent);
  }
  return true;
}

void echo(int fd) {
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0 || !send_all(fd, buffer, static_cast<std::size_t>(n))) break;
  }
  ::close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: echo_threads PORT\n", stderr);
    return 2;
  }
  const int listener = baseline::listen_on(argv[1]);
  for (;;) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd >= 0) std::thread(echo, fd).detach();
  }
}
