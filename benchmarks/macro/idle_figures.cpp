// SPDX-License-Identifier: BSL-1.0
// runtime.idle.*: how often the threads of servers wake up for which there is nothing to do.
#include "../support/harness.hpp"
#include "../support/ring.hpp"
#include "../support/server.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace {

using bench::judged;
using bench::values;

// Counts from when it has settled to the end of the figure: one wake-up stays visible.
class idle_server {
 public:
  idle_server(const std::string& program, const std::vector<std::string>& arguments)
      : server_(program, arguments) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    before_ = server_.sleeps();
  }
  [[nodiscard]] double wake_ups() const { return static_cast<double>(server_.sleeps() - before_); }

 private:
  bench::server server_;
  std::size_t before_ = 0;
};

values baseline() {
  static const idle_server ring("echo_uring", {"single", "plain"});
  static const idle_server epoll("echo_epoll", {});
  std::this_thread::sleep_for(std::chrono::seconds(1));
  return {ring.wake_ups(), epoll.wake_ups()};
}
values subject() {
  static const idle_server ring("idle_penstock", {"uring"});
  static const idle_server reactor("idle_penstock", {"reactor"});
  std::this_thread::sleep_for(std::chrono::seconds(1));
  return {ring.wake_ups(), reactor.wake_ups()};
}

const bench::add idle(
    {.metrics = {{"runtime.idle.wakeups", "", judged::value_at_most, {0}},
                 {"runtime.idle.wakeups.reactor", "", judged::value_at_most, {0}}},
     .baseline = baseline,
     .subject = subject,
     .place = bench::place::all_cpus,
     .missing = bench::no_ring});

}  // namespace
