// benchmarks/support/server.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A program that serves on a loopback port, on the first cpu; who loads it has the last.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/// Runs `program PORT arguments...` until it is destroyed.
class server {
 public:
  /// `program`: in the folder of this one. Returns when it has printed "ready".
  server(const std::string& program, const std::vector<std::string>& arguments);
  server(server&& o) noexcept;
  server& operator=(server&&) = delete;
  /// SIGTERM, and waits for its end.
  ~server();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Cpu seconds of all its threads, by its own clock.
  [[nodiscard]] double cpu_seconds() const;
  [[nodiscard]] std::size_t resident_memory() const;
  /// How often its threads went to sleep: once more for each time that one woke up.
  [[nodiscard]] std::size_t sleeps() const;

 private:
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace bench
