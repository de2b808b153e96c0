// SPDX-License-Identifier: BSL-1.0
#include "echo_race.hpp"

#include "harness.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace bench {

echo_race::echo_race(echo_race_options o, std::vector<contender> contenders)
    : options_(o), contenders_(std::move(contenders)), visits_(contenders_.size()) {}

void echo_race::run_to(std::size_t cycles) {
  while (visits_[0].size() < cycles) run_start();
}

const std::vector<echo_visit>& echo_race::of(const std::string& name) const {
  std::size_t i = 0;
  while (i < contenders_.size() && contenders_[i].name != name) ++i;
  check(i < contenders_.size(), ("no server is called " + name).c_str());
  return visits_[i];
}

void echo_race::run_start() {
  // In another order each time.
  std::vector<std::size_t> order(contenders_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = (i + starts_) % order.size();
  if (starts_++ % 2 == 1) std::reverse(order.begin(), order.end());

  quiet_.wait();
  std::vector<server> servers;
  for (const std::size_t i : order)
    servers.emplace_back(contenders_[i].program, contenders_[i].arguments);
  echo_load load(options_.connections, options_.bytes);
  for (const auto& s : servers) load.add(s);
  for (std::size_t cycle = 0; cycle <= options_.cycles_of_a_start; ++cycle) {
    for (std::size_t k = 0; k < order.size(); ++k) {
      const std::size_t n = (k + cycle) % order.size();
      const auto v = load.visit(n, options_.slice, options_.warm, contenders_[order[n]].client);
      if (cycle > 0) visits_[order[n]].push_back(v);  // the first one warms it up
    }
  }
}

step_counts steps_of_round_trip(const contender& c, std::size_t connections, std::size_t bytes) {
  constexpr int sweeps = 4;
  const server s(c.program, c.arguments);
  echo_load load(connections, bytes);
  const std::size_t number = load.add(s);
  for (int i = 0; i < 20; ++i) load.sweep(number);
  const step_counter counter(s.pid());
  load.sweep(number);
  const step_counts before = counter.when_idle();
  for (int i = 0; i < sweeps; ++i) load.sweep(number);
  const step_counts after = counter.when_idle();
  const double round_trips = static_cast<double>(connections) * sweeps;
  return {(after.instructions - before.instructions) / round_trips,
          (after.system_calls - before.system_calls) / round_trips};
}

}  // namespace bench
