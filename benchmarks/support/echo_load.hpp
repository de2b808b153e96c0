// benchmarks/support/echo_load.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Keeps connections to several echo servers open and loads one of them at a time: each connection
/// has one message under way.

#include "buffer_ring.hpp"
#include "server.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <vector>

namespace bench {

/// What a server did during a visit.
struct echo_visit {
  double cpu_us = 0;    ///< of the server, for each round trip
  double p50_us = 0;    ///< of a round trip
  double rate = 0;      ///< round trips a second
  double cpu_load = 0;  ///< of the server: 1 is a whole cpu
};

class echo_load {
 public:
  /// How it waits for answers.
  enum class waiting { sleeping, spinning };

  /// Each server gets `connections`, on which messages of `bytes` go to and fro.
  echo_load(std::size_t connections, std::size_t bytes);
  echo_load(const echo_load&) = delete;
  echo_load& operator=(const echo_load&) = delete;
  ~echo_load();

  /// Connects; sees one message through each connection and compares what comes back. Gives the
  /// server's number.
  std::size_t add(const server& s);
  /// Loads a server for `slice`; the first `warm` of it do not count.
  echo_visit visit(std::size_t number, std::chrono::milliseconds slice,
                   std::chrono::milliseconds warm, waiting how = waiting::sleeping);
  /// One message through each of its connections, all at once.
  void sweep(std::size_t number);
  /// One message through each of its connections, one after the other.
  void sweep_in_turn(std::size_t number);

 private:
  using clock = std::chrono::steady_clock;
  struct connection {
    int fd = -1;
    std::size_t received = 0;
    clock::time_point sent_at;
  };
  struct target {
    const bench::server* host;
    std::deque<connection> connections;  // their addresses are in the ring
  };

  io_uring_sqe& entry();
  void listen_to(connection& c);
  void send(connection& c, clock::time_point now);
  void wait(waiting how);
  /// Calls `answered(connection&)` for each answer that is complete.
  template <class Fn>
  void take_answers(Fn answered);

  std::size_t count_;
  std::vector<std::byte> message_;
  std::deque<target> targets_;
  io_uring ring_{};
  buffer_ring buffers_;
  bool comparing_ = false;
  std::vector<double> latencies_;
};

}  // namespace bench
