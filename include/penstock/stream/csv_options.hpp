// penstock/stream/csv_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What kind of CSV it is, and how much of it is too much: the options of csv_rows.hpp.

#include <cstddef>
#include <type_traits>

namespace penstock {

/// Options of `csv_rows`.
struct csv_options {
  /// Between two fields: any byte but a quote and the ends of lines.
  char delimiter = ',';
  /// The first row has the names of the columns: it is no item, and fields are found by name.
  bool header = false;
  /// Rows may have different numbers of fields; else all have as many as the first one.
  bool ragged = false;
  /// Bytes that the fields of a row may have together, at least 1 and below 4 GiB.
  std::size_t most_bytes = std::size_t{1} << 20;
  /// Fields that a row may have, at least 1.
  std::size_t most_fields = 4096;
};
static_assert(std::is_trivially_copyable_v<csv_options>);

}  // namespace penstock
