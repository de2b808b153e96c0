// benchmarks/support/outage_server.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A server that is down for a while: it takes requests and does not answer.

#include <atomic>
#include <cstdint>
#include <thread>

namespace bench {

/// One request a connection: a byte comes, and is answered at once. From one second after the first
/// request on, for three seconds, requests are counted and never answered.
class outage_server {
 public:
  outage_server();
  outage_server(const outage_server&) = delete;
  outage_server& operator=(const outage_server&) = delete;
  ~outage_server();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] long reached_while_down() const { return reached_.load(); }

 private:
  void serve();

  int listener_ = -1;
  int epoll_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<long> reached_{0};
  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace bench
