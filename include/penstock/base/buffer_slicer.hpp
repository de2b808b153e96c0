// penstock/base/buffer_slicer.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Cuts a buffer from its front into many slices: their references are taken many at a time, which
/// spares each slice one of its two atomic operations.

#include <penstock/base/buffer.hpp>
#include <penstock/base/taken.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace penstock::detail {

class buffer_slicer {
 public:
  buffer_slicer() noexcept = default;
  explicit buffer_slicer(buffer&& b) noexcept : rest_(std::move(b)) {}
  buffer_slicer(buffer_slicer&& o) noexcept
      : rest_(std::move(o.rest_)), stock_(exchanged(o.stock_, 0)) {}
  buffer_slicer& operator=(buffer_slicer&& o) noexcept {
    if (this != &o) {
      reset();
      rest_ = std::move(o.rest_);
      stock_ = exchanged(o.stock_, 0);
    }
    return *this;
  }
  ~buffer_slicer() { reset(); }

  [[nodiscard]] const buffer& rest() const noexcept { return rest_; }
  // The first `count` bytes; the `skipped` ones behind them are forgotten.
  buffer split(std::size_t count, std::size_t skipped = 0) noexcept {
    buffer_owner* const owner = rest_.owner_;
    if (owner && stock_ == 0) {
      stock_ = at_a_time;
      owner->retain(at_a_time);
    }
    buffer head(rest_.data_, count, owner);
    if (owner) --stock_;
    rest_.remove_prefix(count + skipped);
    return head;
  }
  // A slice that is not needed: its reference is for another one.
  void take_back(buffer& slice) noexcept {
    if (!slice.owner_ || slice.owner_ != rest_.owner_) return;
    slice.owner_ = nullptr;
    ++stock_;
  }
  void skip(std::size_t count) noexcept { rest_.remove_prefix(count); }
  void reset() noexcept {
    // The buffer's own reference is dropped with those that nobody needed.
    if (auto* const owner = taken(rest_.owner_)) owner->drop(exchanged(stock_, 0) + 1);
    rest_.reset();
  }

 private:
  static constexpr std::uint32_t at_a_time = 64;

  buffer rest_;
  std::uint32_t stock_ = 0;  // references that are taken, and given to no slice yet
};

}  // namespace penstock::detail
