// SPDX-License-Identifier: BSL-1.0
// Compares any echo servers of this folder:
//
//   echo_race CONNECTIONS BYTES SLICE_MS CYCLES NAME=PROGRAM[+ARGUMENT...] ...
//
// A NAME that begins with "spin" is loaded by a client that does not sleep. Prints for each the
// medians, and the cpu time of the first one over its own in the same cycle: above 1 is cheaper.
#include "echo_race.hpp"
#include "harness.hpp"
#include "machine.hpp"
#include "statistics.hpp"

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace {

bench::contender parse(const std::string& word) {
  const auto equals = word.find('=');
  bench::check(equals != std::string::npos, "NAME=PROGRAM is wanted");
  bench::contender c{word.substr(0, equals), "", {}, bench::echo_load::waiting::sleeping};
  if (c.name.compare(0, 4, "spin") == 0) c.client = bench::echo_load::waiting::spinning;
  std::istringstream in(word.substr(equals + 1));
  std::getline(in, c.program, '+');
  for (std::string argument; std::getline(in, argument, '+');) c.arguments.push_back(argument);
  return c;
}

template <class Fn>
double median_of(const std::vector<bench::echo_visit>& visits, Fn what) {
  std::vector<double> all;
  for (const auto& v : visits) all.push_back(what(v));
  return bench::median(all);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fputs(
        "usage: echo_race CONNECTIONS BYTES SLICE_MS CYCLES NAME=PROGRAM[+ARGUMENT...] ...\n",
        stderr);
    return 2;
  }
  ::setpriority(PRIO_PROCESS, 0, -15);
  bench::pin_to_one_cpu();
  bench::echo_race_options o{static_cast<std::size_t>(std::atol(argv[1])),
                             static_cast<std::size_t>(std::atol(argv[2]))};
  o.slice = std::chrono::milliseconds(std::atol(argv[3]));
  o.warm = o.slice / 5;
  std::vector<bench::contender> all;
  for (int i = 5; i < argc; ++i) all.push_back(parse(argv[i]));
  bench::echo_race race(o, all);
  race.run_to(static_cast<std::size_t>(std::atol(argv[4])));

  const auto& first = race.of(all[0].name);
  for (const auto& c : all) {
    const auto& visits = race.of(c.name);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < visits.size(); ++i) {
      ratios.push_back(first[i].cpu_us / visits[i].cpu_us);
    }
    const auto steps = bench::steps_of_round_trip(c, o.connections, o.bytes);
    std::printf(
        "%-16s cpu %6.3f us  ratio %5.3f [%5.3f %5.3f]  p50 %7.1f us  %8.0f/s  load %4.2f  "
        "%6.0f instructions %5.2f system calls\n",
        c.name.c_str(), median_of(visits, [](auto& v) { return v.cpu_us; }), bench::median(ratios),
        bench::quantile(ratios, 0.25), bench::quantile(ratios, 0.75),
        median_of(visits, [](auto& v) { return v.p50_us; }),
        median_of(visits, [](auto& v) { return v.rate; }),
        median_of(visits, [](auto& v) { return v.cpu_load; }), steps.instructions,
        steps.system_calls);
    std::fflush(stdout);
  }
}
