// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a rate limiter cannot do without: a compare-exchange of the word that holds its state; with
/// keys, to find the word in a table.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace baseline {

/// One word that calls change by compare-exchange.
class word {
 public:
  void add(std::uint64_t n) noexcept {
    std::uint64_t seen = value_.load(std::memory_order_acquire);
    while (!value_.compare_exchange_weak(seen, seen + n, std::memory_order_acq_rel,
                                         std::memory_order_acquire)) {
    }
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Numbers by keys other than 0: open addressing, linear probing, half of it empty.
class table {
 public:
  explicit table(std::size_t most) : cells_(2 * most) {}
  std::uint64_t* find(std::uint64_t key) noexcept {
    for (std::size_t i = home(key);; i = i + 1 == cells_.size() ? 0 : i + 1) {
      if (cells_[i].key == key) return &cells_[i].value;
      if (cells_[i].key == 0) return nullptr;
    }
  }
  void insert(std::uint64_t key) noexcept {
    std::size_t i = home(key);
    while (cells_[i].key != 0) i = i + 1 == cells_.size() ? 0 : i + 1;
    cells_[i].key = key;
  }

 private:
  struct cell {
    std::uint64_t key = 0, value = 0;
  };
  [[nodiscard]] std::size_t home(std::uint64_t key) const noexcept {
    const std::uint64_t tag = (key * 0x9E3779B97F4A7C15u) >> 32;
    return static_cast<std::size_t>((tag * cells_.size()) >> 32);
  }
  std::vector<cell> cells_;
};

}  // namespace baseline
