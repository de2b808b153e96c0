// penstock/io/detail/pausing.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// An operation that is submitted again after a pause, when the system has no room for it.

#include <penstock/base/backoff.hpp>
#include <penstock/io/detail/io_leaf.hpp>

namespace penstock::detail {

// 5 ms, 10 ms ... 1 s.
inline constexpr backoff pause_backoff = exponential(
    std::chrono::milliseconds(5), {.cap = std::chrono::seconds(1), .jitter = jitter::none});

template <class Leaf>
class pausing : protected Leaf, timer {
 protected:
  using Leaf::Leaf;
  pausing(const pausing& o) noexcept : Leaf(o), timer() {}
  ~pausing() {
    if (armed) this->loop().cancel_timer(*this);
  }
  // For advance(): false, after a pause unless the operation is to end.
  bool pause() noexcept {
    if (this->ending()) return false;
    scheduler& s = this->loop();
    at = s.now() + pause_backoff.delay(++pauses_, s.random());
    s.add_timer(*this);
    this->hold();
    return false;
  }

 private:
  void on_time() noexcept override { this->go_on(); }
  void let_go() noexcept override { this->loop().cancel_timer(*this); }

  std::uint64_t pauses_ = 0;
};

}  // namespace penstock::detail
