// SPDX-License-Identifier: BSL-1.0
#include "outage_server.hpp"

#include "harness.hpp"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <set>

namespace bench {
namespace {
void watch(int epoll, int fd) {
  epoll_event e{};
  e.events = EPOLLIN;
  e.data.fd = fd;
  check(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0, "outage: epoll_ctl");
}
}  // namespace

outage_server::outage_server()
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const address = reinterpret_cast<sockaddr*>(&where);
  socklen_t size = sizeof where;
  check(::bind(listener_, address, size) == 0 && ::listen(listener_, 4096) == 0 &&
            ::getsockname(listener_, address, &size) == 0,
        "outage: cannot listen");
  port_ = ntohs(where.sin_port);
  watch(epoll_, listener_);
  thread_ = std::thread([this] { serve(); });
}

outage_server::~outage_server() {
  over_.store(true);
  thread_.join();
  ::close(epoll_);
  ::close(listener_);
}

void outage_server::serve() {
  using clock = std::chrono::steady_clock;
  clock::time_point first{};
  std::set<int> open;
  const auto forget = [&](int fd) {
    open.erase(fd);
    ::close(fd);
  };
  while (!over_.load()) {
    epoll_event events[256];
    const int n = ::epoll_wait(epoll_, events, 256, 20);
    for (int i = 0; i < n; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener_) {
        int peer = -1;
        while ((peer = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
          watch(epoll_, peer);
          open.insert(peer);
        }
        continue;
      }
      char byte = 0;
      if (::recv(fd, &byte, 1, 0) <= 0) {
        forget(fd);
        continue;
      }
      const auto now = clock::now();
      if (first == clock::time_point{}) first = now;
      const bool down =
          now - first >= std::chrono::seconds(1) && now - first < std::chrono::seconds(4);
      if (down) {
        reached_.fetch_add(1);
      } else {
        static_cast<void>(::send(fd, &byte, 1, MSG_NOSIGNAL));
        forget(fd);
      }
    }
  }
  for (const int fd : open) ::close(fd);
}

}  // namespace bench
