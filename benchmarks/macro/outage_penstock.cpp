// SPDX-License-Identifier: BSL-1.0
// A client of a server that goes down: a task for each request, on one thread, with policies. 500
// requests a second for 6 seconds.
//
//   outage_penstock PORT
#include <penstock/io.hpp>
#include <penstock/resilience.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream/interval.hpp>

#include "../support/program_report.hpp"

#include <cstdint>
#include <cstdlib>

using namespace penstock;
using namespace std::chrono_literals;

namespace {

constexpr int requests = 3000;

task<result<int>> ask(const endpoint& where) {
  tcp_stream connection = co_await ok(tcp_stream::connect(where));
  std::byte byte{'x'};
  co_await ok(connection.write_all(std::span(&byte, 1)));
  const std::size_t n = co_await ok(connection.read_some(std::span(&byte, 1)));
  if (n == 0) co_return fail(std::errc::connection_reset);
  co_return 1;
}

template <class Policy>
task<> one(const Policy& guarded, const endpoint& where, int& answered) {
  auto call = [&] { return ask(where); };
  const auto answer = co_await guarded(idempotent(call));
  if (answer) ++answered;
}

task<int> load(endpoint where) {
  retry_budget budget{{.ratio = 0.2, .min_per_second = 10}};
  circuit_breaker breaker{{.failure_rate = 0.5,
                           .window = 100,
                           .min_calls = 20,
                           .open_for = 500ms,
                           .open_factor = 1.0,
                           .half_open_calls = 5}};
  const auto guarded = retry({.attempts = 3, .backoff = exponential(100ms)}, budget) | breaker |
                       attempt_timeout(500ms);
  int answered = 0;
  auto body = [&](task_group& group) -> task<> {
    auto ticks = interval(2ms);
    for (int i = 0; i < requests; ++i) {
      const auto tick = co_await ticks.next();
      if (!tick) break;
      group.start(one(guarded, where, answered));
    }
  };
  co_await with_group(body);
  co_return answered;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: outage_penstock PORT\n", stderr);
    return 2;
  }
  runtime rt;
  const int answered =
      rt.run(load(endpoint("127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[1])))));
  std::printf("RESULT answered=%d threads=1 peak_rss_mib=%.1f\n", answered, bench::peak_rss_mib());
}
