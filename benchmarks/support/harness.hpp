// benchmarks/support/harness.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Registers figures and measures them: baseline and subject in turn, in one run, ratios of pairs.
/// A file of figures defines functions that do the work, check their result, and return values; and
/// registers them with a namespace-scope `bench::add`. The program's main is in main.cpp.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

inline constexpr std::size_t max_metrics = 4;
/// What one run yields: a value for each metric of the figure.
using values = std::array<double, max_metrics>;
using run_function = values (*)();

/// How a metric is judged.
enum class judged {
  ratio_at_most,       ///< subject / baseline <= limit
  ratio_at_least,      ///< subject / baseline >= limit
  value_at_most,       ///< subject <= limit; the baseline is for orientation
  difference_at_most,  ///< subject - baseline <= limit
  not_at_all,          ///< for orientation: the peers
};

/// The requirement, which may differ between the compilers.
struct limit {
  double gcc = 0;
  double clang = 0;
  limit() = default;
  limit(double both) : gcc(both), clang(both) {}
  limit(double g, double c) : gcc(g), clang(c) {}
};

struct metric {
  std::string name;  ///< stable and dotted; the first metric's is the figure's
  std::string unit;
  judged how;
  limit required = {};
};

/// Where a figure's runs take place.
enum class place {
  one_cpu,        ///< this process, pinned to one cpu
  fresh_process,  ///< each run in a new process, pinned: for memory
  all_cpus,       ///< this process, not pinned: it starts threads or programs
  two_cpus,       ///< this process, which pins itself; it has short visits to servers, and sleeps
};

struct figure {
  std::vector<metric> metrics;
  run_function baseline;
  run_function subject;
  bench::place place = place::one_cpu;
  const char* (*missing)() = {};  ///< says why it cannot be measured here, or null
  const char* versus = "";        ///< the baseline is the subject of the figure of this name
};

/// Registers a figure before main.
struct add {
  explicit add(figure f);
};

/// Time since construction.
class stopwatch {
 public:
  [[nodiscard]] double nanoseconds() const {
    return nanoseconds_until(std::chrono::steady_clock::now());
  }
  [[nodiscard]] double nanoseconds_until(std::chrono::steady_clock::time_point end) const {
    return std::chrono::duration<double, std::nano>(end - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Makes the compiler believe that `value` is used, and changed.
template <class T>
void keep(T& value) {
  asm volatile("" : "+m"(value) : : "memory");
}

/// Ends the program when a benchmark computed something wrong.
void check(bool correct, const char* what);

/// Resident memory of this process in bytes.
std::size_t resident_memory();

/// The folder of this program, with the other programs of the benchmarks.
const std::string& program_folder();

/// Runs a program; its `name=value` words on the line that starts with RESULT, in the order of
/// `names`. Ends this program when that one fails.
values run_program(const std::vector<std::string>& command, const std::vector<std::string>& names);

/// What was given on the command line with `--set NAME=VALUE`, else `otherwise`.
std::string setting(const std::string& name, const std::string& otherwise);

/// main of a program of figures.
int run(int argc, char** argv);

}  // namespace bench
