// penstock/resilience/detail/retry_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The decisions of `retry`, without a clock and without waiting.

#include <penstock/base/backoff.hpp>
#include <penstock/base/deadline.hpp>
#include <penstock/base/error.hpp>

#include <cstddef>

namespace penstock::detail {

class retry_core {
 public:
  struct limits {
    std::size_t attempts = 0;
    penstock::backoff backoff;
    duration max_delay{};
  };
  struct decision {
    retry_stop stop = retry_stop::none;  // none: wait for `delay`, then try again
    duration delay{};
  };

  explicit retry_core(const limits& l) noexcept : limits_(l) {}

  // An attempt failed with `e` at `now`.
  decision failed(const error& e, bool is_retryable, time_point now, deadline until,
                  random_engine& random) noexcept {
    ++attempts_;
    if (e == errc::canceled) return {retry_stop::canceled, {}};
    if (e == errc::circuit_open || !is_retryable) return {retry_stop::non_retryable, {}};
    if (attempts_ >= limits_.attempts) return {retry_stop::attempts, {}};
    duration delay{};
    if (const auto wished = e.retry_after()) {
      if (*wished < duration::zero() || *wished > limits_.max_delay)
        return {retry_stop::pushback, {}};
      delay = *wished;
      failures_ = 0;  // the backoff begins anew
    } else {
      delay = limits_.backoff.delay(++failures_, random);
      if (delay > limits_.max_delay) delay = limits_.max_delay;
    }
    if (!until.is_never() && until.remaining(now) <= delay) return {retry_stop::deadline, {}};
    return {retry_stop::none, delay};
  }

 private:
  limits limits_;
  std::size_t attempts_ = 0;
  std::uint64_t failures_ = 0;  // since the last delay that was asked for
};

}  // namespace penstock::detail
