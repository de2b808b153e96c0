// penstock/stream/csv_row.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One row of a CSV text: what csv_rows.hpp emits.

#include <penstock/base/assert.hpp>
#include <penstock/base/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace penstock {

/// The fields of a row, by position or by the name of their column.
///
/// **Shape.** {fields, number, names of the columns if there is a header}
/// **Errors.** a position outside asserts.
/// **Thread-safety.** distinct: safe; same object: reads only.
/// **Complexity.** move-only; one allocation, with all fields; O(1) by position, by name
/// O(columns).
/// **Lifetime.** the views of its fields live as long as the row, and survive its move.
/// **Example.** @snippet tests/stream/csv_rows_test.cpp csv_rows
class csv_row {
 public:
  /// A row of fields that stand one behind the other in `bytes`, of which each ends at one of
  /// `ends`.
  csv_row(std::string_view bytes, std::span<const std::uint32_t> ends, std::uint64_t number,
          std::shared_ptr<const csv_row> names = nullptr)
      : data_(buffer::allocate(ends.size_bytes() + bytes.size())),
        size_(ends.size()),
        number_(number),
        names_(std::move(names)) {
    if (!ends.empty()) std::memcpy(data_.data(), ends.data(), ends.size_bytes());
    if (!bytes.empty()) std::memcpy(data_.data() + ends.size_bytes(), bytes.data(), bytes.size());
  }

  /// How many fields it has.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Its number in the text, from 1; a header is row 1, empty lines are none.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// The field at `at`, unquoted.
  [[nodiscard]] std::string_view operator[](std::size_t at) const noexcept {
    PENSTOCK_ASSERT(at < size_, "a row has no such field");
    const std::size_t begin = at == 0 ? 0 : end_of(at - 1);
    return data_.text().substr(size_ * sizeof(std::uint32_t) + begin, end_of(at) - begin);
  }
  /// The field in the column `name`, the first of that name. None: there is no such column, no
  /// header, or the row is too short.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept {
    if (!names_) return std::nullopt;
    for (std::size_t i = 0; i < names_->size() && i < size_; ++i)
      if ((*names_)[i] == name) return (*this)[i];
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::size_t end_of(std::size_t at) const noexcept {
    std::uint32_t end = 0;
    std::memcpy(&end, data_.data() + at * sizeof end, sizeof end);
    return end;
  }

  buffer data_;  // where each field ends, then the fields
  std::size_t size_;
  std::uint64_t number_;
  std::shared_ptr<const csv_row> names_;
};

}  // namespace penstock
