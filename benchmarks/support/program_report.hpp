// benchmarks/support/program_report.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a program that is measured as a whole tells of itself.

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

namespace bench {

/// The most memory that this program had. Not ru_maxrss, which it inherits from the one that
/// started it.
inline double peak_rss_mib() {
  std::ifstream in("/proc/self/status");
  for (std::string word; in >> word;) {
    if (word != "VmHWM:") continue;
    double kib = 0;
    in >> kib;
    return kib / 1024;
  }
  return 0;
}

/// Counts from construction.
class program_report {
 public:
  /// Prints "RESULT bytes=N seconds=S mb_per_s=M cpu_seconds=C peak_rss_mib=R".
  void print(std::size_t bytes) const {
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start_;
    std::printf("RESULT bytes=%zu seconds=%.4f mb_per_s=%.1f cpu_seconds=%.3f peak_rss_mib=%.1f\n",
                bytes, time.count(), static_cast<double>(bytes) / 1e6 / time.count(),
                cpu_seconds() - cpu_, peak_rss_mib());
  }

 private:
  static double cpu_seconds() {
    rusage u{};
    ::getrusage(RUSAGE_SELF, &u);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(u.ru_utime) + seconds(u.ru_stime);
  }

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double cpu_ = cpu_seconds();
};

}  // namespace bench
