// benchmarks/support/report.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What was measured, as a table for people and as one JSON object a line.

#include "harness.hpp"

namespace bench {

/// One metric, measured.
struct outcome {
  metric what;
  double limit = 0;              // of `what`, for this compiler
  std::vector<double> baseline;  // one a pair
  std::vector<double> subject;
  bool noisy = false;

  [[nodiscard]] double baseline_value() const;
  [[nodiscard]] double subject_value() const;
  /// What is judged, of each pair: a ratio, a difference or the subject's value.
  [[nodiscard]] std::vector<double> judged_values() const;
  [[nodiscard]] double judged_value() const;
  [[nodiscard]] bool met() const;
  /// Within 15 % of the requirement, on either side.
  [[nodiscard]] bool near() const;
  /// The middle half of the pairs spans more than 6 % of the requirement.
  [[nodiscard]] bool wide() const;
};

/// `peers`: beside penstock instead of a baseline beside penstock.
void print_heading(bool peers);
void print_row(const outcome& o);
/// Appends to `file`, which "commit" of the settings says the state of the sources for.
void append_json(const std::string& file, const outcome& o);

}  // namespace bench
