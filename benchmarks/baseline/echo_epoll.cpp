// SPDX-License-Identifier: BSL-1.0
// An echo server on epoll, one thread: level-triggered, one receive and one send for each event.
//
//   echo_epoll PORT
#include "echo_listener.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <unordered_map>

namespace {

class echo_server {
 public:
  explicit echo_server(const char* port)
      : listener_(baseline::listen_on(port, SOCK_NONBLOCK)), epoll_(::epoll_create1(0)) {
    watch(listener_, EPOLL_CTL_ADD, EPOLLIN);
  }

  [[noreturn]] void run() {
    epoll_event events[1024];
    for (;;) {
      const int n = ::epoll_wait(epoll_, events, 1024, -1);
      for (int i = 0; i < n; ++i) {
        const int fd = events[i].data.fd;
        if (fd == listener_)
          accept_all();
        else if (events[i].events & EPOLLOUT)
          send_rest(fd);
        else
          echo(fd);
      }
    }
  }

 private:
  void watch(int fd, int how, std::uint32_t what) const {
    epoll_event e{};
    e.events = what;
    e.data.fd = fd;
    if (::epoll_ctl(epoll_, how, fd, &e) != 0) baseline::fail("epoll_ctl");
  }
  void accept_all() const {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      watch(fd, EPOLL_CTL_ADD, EPOLLIN);
    }
  }
  void echo(int fd) {
    const ssize_t n = ::recv(fd, buffer_, sizeof buffer_, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return close(fd);
    const ssize_t sent = ::send(fd, buffer_, static_cast<std::size_t>(n), MSG_NOSIGNAL);
    if (sent == n) return;
    if (sent < 0 && errno != EAGAIN) return close(fd);
    // The peer is slow: the rest first, then it is listened to again.
    rest_[fd].assign(buffer_ + (sent < 0 ? 0 : sent), buffer_ + n);
    watch(fd, EPOLL_CTL_MOD, EPOLLOUT);
  }
  void send_rest(int fd) {
    std::string& rest = rest_[fd];
    const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return close(fd);
    if (sent > 0) rest.erase(0, static_cast<std::size_t>(sent));
    if (rest.empty()) watch(fd, EPOLL_CTL_MOD, EPOLLIN);
  }
  void close(int fd) {
    rest_.erase(fd);
    ::close(fd);
  }

  int listener_;
  int epoll_;
  char buffer_[65536];
  std::unordered_map<int, std::string> rest_;  // what slow peers have not yet taken
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: echo_epoll PORT\n", stderr);
    return 2;
  }
  echo_server(argv[1]).run();
}
