// penstock/resilience/rate_decision.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a server that limits its callers tells them. Who decides: rate_limiter.hpp,
/// keyed_rate_limiter.hpp.

#include <penstock/base/clock.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock {

/// A request was admitted or not, and what is left.
struct rate_decision {
  bool admitted = false;
  std::uint32_t limit = 0;      ///< the most that there ever is: the burst, or the window's count
  std::uint32_t remaining = 0;  ///< what is there now, after this request
  duration reset{};             ///< after so long without requests all of it is there
  duration retry_after{};       ///< refused: not before that; `duration::max()`: never
};

/// The values of the header fields RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset (IETF
/// draft-ietf-httpapi-ratelimit-headers-06) and Retry-After (RFC 9110).
///
/// **Shape.** whole seconds, rounded up.
/// **Complexity.** no allocation; the texts are in the object.
/// **Lifetime.** its `string_view`s do not outlive it, nor its being moved.
/// **Example.** @snippet tests/resilience/rate_limiter_test.cpp headers
class rate_limit_headers {
 public:
  explicit rate_limit_headers(const rate_decision& d) noexcept
      : limit_(d.limit),
        remaining_(d.remaining),
        reset_(seconds(d.reset)),
        retry_after_(seconds(d.retry_after)),
        refused_(!d.admitted && d.retry_after != (duration::max)()) {}

  [[nodiscard]] std::string_view limit() const noexcept { return limit_.view(); }
  [[nodiscard]] std::string_view remaining() const noexcept { return remaining_.view(); }
  [[nodiscard]] std::string_view reset() const noexcept { return reset_.view(); }
  /// Empty: it was admitted, or never will be.
  [[nodiscard]] std::string_view retry_after() const noexcept {
    return refused_ ? retry_after_.view() : std::string_view();
  }

 private:
  class digits {
   public:
    explicit digits(std::uint64_t n) noexcept {
      const auto end = std::to_chars(text_.data(), text_.data() + text_.size(), n).ptr;
      size_ = static_cast<std::size_t>(end - text_.data());
    }
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

   private:
    std::array<char, 20> text_;
    std::size_t size_;
  };
  static std::uint64_t seconds(duration d) noexcept {
    if (d <= duration::zero()) return 0;
    return (static_cast<std::uint64_t>(d.count()) + 999'999'999) / 1'000'000'000;
  }

  digits limit_, remaining_, reset_, retry_after_;
  bool refused_;
};

}  // namespace penstock
