// SPDX-License-Identifier: BSL-1.0
#include "machine.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace bench {
namespace {

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}
double clock_seconds(clockid_t id) {
  timespec t{};
  ::clock_gettime(id, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}
double usage_seconds(int who) {
  rusage u{};
  ::getrusage(who, &u);
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

// The first "name : value" line of a file in /proc.
std::string proc_value(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.compare(0, name.size(), name) != 0) continue;
    const auto colon = line.find(':');
    const auto value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

cpu_set_t allowed_at_start() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  return set;
}
const cpu_set_t all_cpus = allowed_at_start();

void pin_to(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  ::sched_setaffinity(0, sizeof one, &one);
}

// The share of wall time that went missing in gaps of a spinning thread. A host that takes the cpu
// away shows nowhere else: "steal" may read 0 all the time.
double stolen_share(double duration) {
  const double start = wall_seconds();
  double last = start, lost = 0;
  for (double t = start; t - start < duration; last = t) {
    t = wall_seconds();
    if (t - last > 200e-6) lost += t - last;
  }
  return lost / duration;
}

}  // namespace

machine_facts facts() {
  machine_facts f;
  f.cpu = proc_value("/proc/cpuinfo", "model name");
  utsname name{};
  if (::uname(&name) == 0) f.kernel = std::string(name.sysname) + ' ' + name.release;
  f.cores = CPU_COUNT(&all_cpus);
  std::istringstream(proc_value("/proc/meminfo", "MemTotal")) >> f.memory_gib;
  f.memory_gib /= 1024 * 1024;
  return f;
}

std::string compiler() {
#ifdef __clang__
  return "clang " + std::to_string(__clang_major__) + '.' + std::to_string(__clang_minor__) + '.' +
         std::to_string(__clang_patchlevel__);
#else
  return "g++ " + std::to_string(__GNUC__) + '.' + std::to_string(__GNUC_MINOR__) + '.' +
         std::to_string(__GNUC_PATCHLEVEL__);
#endif
}

void pin_to_one_cpu() {
  int last = CPU_SETSIZE - 1;
  while (last > 0 && !CPU_ISSET(last, &all_cpus)) --last;
  pin_to(last);
}
void pin_to_first_cpu() {
  int first = 0;
  while (first < CPU_SETSIZE - 1 && !CPU_ISSET(first, &all_cpus)) ++first;
  pin_to(first);
}
void use_all_cpus() { ::sched_setaffinity(0, sizeof all_cpus, &all_cpus); }

static double noted = 0;
double own_cpu_seconds() {
  return usage_seconds(RUSAGE_SELF) + usage_seconds(RUSAGE_CHILDREN) + noted;
}
void note_child(double seconds) { noted += seconds; }
double thread_cpu_seconds() { return clock_seconds(CLOCK_THREAD_CPUTIME_ID); }
double wall_seconds() { return clock_seconds(CLOCK_MONOTONIC); }

double machine_cpu_seconds() {
  std::ifstream in("/proc/stat");
  std::string word;
  in >> word;
  // user nice system idle iowait irq softirq steal
  double ticks[8] = {};
  for (double& t : ticks) in >> t;
  const double busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
  return busy / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

bool quiet_time::wait() {
  const double start = wall_seconds();
  for (;;) {
    const double window = 0.2;
    const double busy = machine_cpu_seconds(), own = own_cpu_seconds();
    ::usleep(static_cast<useconds_t>(window * 1e6));
    const double others = machine_cpu_seconds() - busy - (own_cpu_seconds() - own);
    const bool quiet = others < 0.15 * window && stolen_share(0.05) < 0.02;
    const double waited = wall_seconds() - start;
    if (quiet || waited > budget_) {
      budget_ -= quiet && waited < 0.3 ? 0 : waited;
      return quiet;
    }
  }
}

}  // namespace bench
