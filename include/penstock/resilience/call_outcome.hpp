// penstock/resilience/call_outcome.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a call ended, as policies count it: one classification for all of them.

#include <penstock/base/result.hpp>
#include <penstock/resilience/is_transient.hpp>

#include <concepts>
#include <string_view>
#include <type_traits>

namespace penstock {

/// How a call ended.
enum class call_outcome : unsigned char {
  success,   ///< it did what it is for
  failure,   ///< it did not; where it was done is in trouble
  slow,      ///< a success that took too long
  ignored,   ///< says nothing of where it was done: the request was wrong, or a policy refused it
  canceled,  ///< nobody waited for it any more
};

/// The outcome's name.
[[nodiscard]] constexpr std::string_view to_string(call_outcome o) noexcept {
  switch (o) {
    case call_outcome::success:
      return "success";
    case call_outcome::failure:
      return "failure";
    case call_outcome::slow:
      return "slow";
    case call_outcome::ignored:
      return "ignored";
    case call_outcome::canceled:
      break;
  }
  return "canceled";
}

/// What an error means, unless a policy is given a classifier: `errc::canceled` is `canceled`; what
/// a policy refused (`errc::circuit_open`, `errc::rate_limited`) and what says that the request
/// itself is wrong (not `is_transient`) is `ignored`; all else is a `failure`.
[[nodiscard]] inline call_outcome outcome_of(const error& e) noexcept {
  if (e == errc::canceled) return call_outcome::canceled;
  if (e == errc::circuit_open || e == errc::rate_limited) return call_outcome::ignored;
  return is_transient(e) ? call_outcome::failure : call_outcome::ignored;
}

/// What judges errors, and, where it takes a `const T&` too, values: gives a `call_outcome`.
template <class F>
concept outcome_classifier = std::is_invocable_r_v<call_outcome, const F&, const error&>;

/// The default classifier: `outcome_of`, and each value is a success.
struct default_classifier {
  call_outcome operator()(const error& e) const noexcept { return outcome_of(e); }
};

namespace detail {
// A classifier that throws counts as a failure.
template <outcome_classifier F, class T>
call_outcome classify(const F& judge, const result<T>& r) noexcept {
  try {
    if (!r) return judge(r.error());
    if constexpr (!std::is_void_v<T>) {
      if constexpr (std::is_invocable_r_v<call_outcome, const F&, const T&> &&
                    !std::is_convertible_v<const T&, error>)
        return judge(*r);
    }
    return call_outcome::success;
  } catch (...) {
    return call_outcome::failure;
  }
}
}  // namespace detail

}  // namespace penstock
