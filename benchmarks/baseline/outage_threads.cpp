// SPDX-License-Identifier: BSL-1.0
// A client of a server that goes down: a pool of threads, each with blocking sockets, a timeout of
// half a second and three attempts with 100 ms between them. 500 requests a second for 6 seconds.
//
//   outage_threads PORT
#include "../support/program_report.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

namespace {

constexpr int requests = 3000;
constexpr int threads = 256;  // 500 a second, three attempts of half a second: more are not enough

bool ask(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{0, 500'000};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  char byte = 'x';
  const bool good = ::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0 &&
                    ::send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && ::recv(fd, &byte, 1, 0) == 1;
  ::close(fd);
  return good;
}
bool ask_patiently(std::uint16_t port) {
  for (int attempt = 1;; ++attempt) {
    if (ask(port)) return true;
    if (attempt == 3) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: outage_threads PORT\n", stderr);
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  std::mutex mutex;
  std::condition_variable filled;
  int waiting = 0;
  bool over = false;
  std::atomic<int> answered{0};
  std::vector<std::thread> pool;
  for (int i = 0; i < threads; ++i) {
    pool.emplace_back([&] {
      for (;;) {
        std::unique_lock lock(mutex);
        filled.wait(lock, [&] { return waiting > 0 || over; });
        if (waiting == 0) return;
        --waiting;
        lock.unlock();
        if (ask_patiently(port)) answered.fetch_add(1);
      }
    });
  }
  auto next = std::chrono::steady_clock::now();
  for (int i = 0; i < requests; ++i) {
    std::this_thread::sleep_until(next += std::chrono::milliseconds(2));
    {
      const std::lock_guard lock(mutex);
      ++waiting;
    }
    filled.notify_one();
  }
  {
    const std::lock_guard lock(mutex);
    over = true;
  }
  filled.notify_all();
  for (auto& t : pool) t.join();
  std::printf("RESULT answered=%d threads=%d peak_rss_mib=%.1f\n", answered.load(), threads + 1,
              bench::peak_rss_mib());
}
