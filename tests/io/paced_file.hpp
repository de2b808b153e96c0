// tests/io/paced_file.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A file in memory for marble tests: each read takes 1 ms of virtual time, and reads that reach
/// over `fails_at` fail.

#include <penstock/core/sleep.hpp>
#include <penstock/core/task.hpp>
#include <penstock/io/file.hpp>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace paced {

class file {
 public:
  explicit file(std::string bytes, std::size_t fails_at = std::string::npos)
      : bytes_(std::move(bytes)), fails_at_(fails_at) {}

  penstock::task<penstock::result<std::size_t>> read_at(std::uint64_t offset,
                                                        std::span<std::byte> to) {
    co_await penstock::sleep_for(std::chrono::milliseconds(1));
    const auto from = static_cast<std::size_t>(offset);
    const std::size_t n = (std::min)(to.size(), bytes_.size() - from);
    if (from + n > fails_at_) co_return penstock::fail(std::errc::io_error, "read", path());
    std::memcpy(to.data(), bytes_.data() + from, n);
    co_return n;
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  void seek(std::uint64_t position) noexcept { position_ = position; }
  [[nodiscard]] penstock::file_alignment alignment() const noexcept { return {1, 1}; }

 private:
  std::string path_ = "paced";
  std::string bytes_;
  std::size_t fails_at_;
  std::uint64_t position_ = 0;
};

}  // namespace paced
