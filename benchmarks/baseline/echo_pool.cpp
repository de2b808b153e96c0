// SPDX-License-Identifier: BSL-1.0
// An echo server with a thread pool: one thread waits for sockets that are readable, the others
// take them from a queue, receive, send, and let them be waited for again.
//
//   echo_pool PORT [THREADS]
#include "echo_listener.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace {

class job_queue {
 public:
  void push(int fd) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(fd);
    }
    filled_.notify_one();
  }
  int pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return !jobs_.empty(); });
    const int fd = jobs_.front();
    jobs_.pop_front();
    return fd;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<int> jobs_;
};

// Once: then it is the pool's, until it is watched again.
void watch(int epoll, int fd, int how) {
  epoll_event e{};
  e.events = EPOLLIN | EPOLLONESHOT;
  e.data.fd = fd;
  if (::epoll_ctl(epoll, how, fd, &e) != 0) baseline::fail("epoll_ctl");
}

// The sockets block: a worker waits for a slow peer.
bool echo_once(int fd, char* buffer, std::size_t size) {
  const ssize_t n = ::recv(fd, buffer, size, 0);
  if (n <= 0) return false;
  for (ssize_t done = 0; done < n;) {
    const ssize_t sent =
        ::send(fd, buffer + done, static_cast<std::size_t>(n - done), MSG_NOSIGNAL);
    if (sent < 0) return false;
    done += sent;
  }
  return true;
}

[[noreturn]] void work(job_queue& jobs, int epoll) {
  char buffer[4096];
  for (;;) {
    const int fd = jobs.pop();
    if (echo_once(fd, buffer, sizeof buffer))
      watch(epoll, fd, EPOLL_CTL_MOD);
    else
      ::close(fd);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: echo_pool PORT [THREADS]\n", stderr);
    return 2;
  }
  const int listener = baseline::listen_on(argv[1], SOCK_NONBLOCK);
  const int epoll = ::epoll_create1(0);
  watch(epoll, listener, EPOLL_CTL_ADD);
  job_queue jobs;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 4;
  for (int i = 0; i < threads; ++i) std::thread([&] { work(jobs, epoll); }).detach();

  epoll_event events[256];
  for (;;) {
    const int n = ::epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < n; ++i) {
      const int fd = events[i].data.fd;
      if (fd != listener) {
        jobs.push(fd);
        continue;
      }
      for (int peer; (peer = ::accept(listener, nullptr, nullptr)) >= 0;) {
        watch(epoll, peer, EPOLL_CTL_ADD);
      }
      watch(epoll, listener, EPOLL_CTL_MOD);
    }
  }
}
