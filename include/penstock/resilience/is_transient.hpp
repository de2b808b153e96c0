// penstock/resilience/is_transient.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Which errors another attempt may cure.

#include <penstock/base/error.hpp>

namespace penstock {
namespace detail {
inline bool is_transient_code(errc e) noexcept {
  switch (e) {
    case errc::canceled:
    case errc::closed:
    case errc::circuit_open:
    case errc::would_deadlock:
    case errc::never_satisfiable:
    case errc::invalid_option:
    case errc::lease_lost:
    case errc::source_changed:
    case errc::not_found:
    case errc::corrupt:
    case errc::dead_lettered:
    case errc::snoozed:
      return false;
    case errc::timed_out:
    case errc::rate_limited:
    case errc::overloaded:
    case errc::exhausted:
    case errc::checksum_mismatch:
    case errc::protocol_error:
    case errc::lagged:
      return true;
  }
  return true;
}
// Of the system's errors those that say that the request, not the moment, was wrong.
inline bool is_permanent_condition(const std::error_code& code) noexcept {
  constexpr std::errc permanent[] = {std::errc::invalid_argument,
                                     std::errc::permission_denied,
                                     std::errc::operation_not_permitted,
                                     std::errc::no_such_file_or_directory,
                                     std::errc::no_such_device,
                                     std::errc::file_exists,
                                     std::errc::is_a_directory,
                                     std::errc::not_a_directory,
                                     std::errc::directory_not_empty,
                                     std::errc::filename_too_long,
                                     std::errc::too_many_symbolic_link_levels,
                                     std::errc::cross_device_link,
                                     std::errc::read_only_file_system,
                                     std::errc::file_too_large,
                                     std::errc::no_space_on_device,
                                     std::errc::bad_file_descriptor,
                                     std::errc::bad_address,
                                     std::errc::value_too_large,
                                     std::errc::argument_list_too_long,
                                     std::errc::function_not_supported,
                                     std::errc::operation_not_supported,
                                     std::errc::protocol_not_supported,
                                     std::errc::address_family_not_supported,
                                     std::errc::operation_canceled};
  for (const std::errc e : permanent) {
    if (code == e) return true;
  }
  return false;
}
}  // namespace detail

/// Whether another attempt may do better: what `retry` asks unless it is given a predicate.
///
/// **Result.** false for what was canceled or closed, for an open circuit breaker, and for errors
/// that say that the request itself is wrong (no such file, no permission, invalid, no space); true
/// for all others, those of unknown categories too.
[[nodiscard]] inline bool is_transient(const error& e) noexcept {
  const std::error_code& code = e.code();
  if (code.category() == penstock_category())
    return detail::is_transient_code(static_cast<errc>(code.value()));
  return !detail::is_permanent_condition(code);
}

}  // namespace penstock
