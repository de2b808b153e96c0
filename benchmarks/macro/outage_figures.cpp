// SPDX-License-Identifier: BSL-1.0
// resilience.outage: a server that is down for three of six seconds, as it is called by a pool of
// threads with plain retries, and by tasks with retry budget, breaker and timeouts: requests that
// reached it while it was down, requests that were answered, threads, memory.
#include "../support/harness.hpp"
#include "../support/outage_server.hpp"

#include <string>

namespace {

using bench::judged;
using bench::values;

values call(const char* program) {
  const bench::outage_server server;
  values v =
      bench::run_program({bench::program_folder() + '/' + program, std::to_string(server.port())},
                         {"answered", "threads", "peak_rss_mib"});
  const double answered = v[0];
  bench::check(answered >= 1000, "resilience.outage: a server that is up was not asked");
  v[3] = v[2];
  v[2] = v[1];
  v[1] = answered;
  v[0] = static_cast<double>(server.reached_while_down());
  return v;
}

const bench::add outage(
    {.metrics = {{"resilience.outage", "requests", judged::ratio_at_most, {0.5}},
                 {"resilience.outage.answered", "requests", judged::not_at_all},
                 {"resilience.outage.threads", "threads", judged::ratio_at_most, {0.1}},
                 {"resilience.outage.rss", "MiB", judged::not_at_all}},
     .baseline = [] { return call("outage_threads"); },
     .subject = [] { return call("outage_penstock"); },
     .place = bench::place::all_cpus});

}  // namespace
