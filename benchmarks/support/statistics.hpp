// benchmarks/support/statistics.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Order statistics of a few samples.

#include <algorithm>
#include <vector>

namespace bench {

/// The value below which the share `q` of the samples lies, interpolated; 0 of none.
inline double quantile(std::vector<double> samples, double q) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const double position = q * static_cast<double>(samples.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, samples.size() - 1);
  return samples[below] +
         (position - static_cast<double>(below)) * (samples[above] - samples[below]);
}
inline double median(const std::vector<double>& samples) { return quantile(samples, 0.5); }

}  // namespace bench
