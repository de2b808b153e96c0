// penstock/base/errc.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The library's own error conditions: one closed list. Errors of the system stay what they are
/// (`std::errc`, errno). With operation, object and cause: error.hpp.

#include <string>
#include <system_error>
#include <type_traits>

namespace penstock {

/// What can go wrong that is not the system's.
enum class errc {
  canceled = 1,       ///< the work was stopped before it completed
  timed_out,          ///< a deadline of this library expired
  closed,             ///< the channel, pool or stream was closed
  circuit_open,       ///< a circuit breaker refused the call
  rate_limited,       ///< a rate limiter refused the call
  overloaded,         ///< load was shed
  exhausted,          ///< nothing is left: attempts, budget, pool
  would_deadlock,     ///< waiting here could never end
  never_satisfiable,  ///< more was asked for than there can ever be
  invalid_option,     ///< an option has a value that cannot work
  lease_lost,         ///< the lease ended before the work did
  source_changed,     ///< what is read was modified meanwhile
  checksum_mismatch,  ///< the bytes are not those that were written
  not_found,          ///< there is no such thing
  protocol_error,     ///< the peer broke the protocol
  corrupt,            ///< stored or received data makes no sense
  lagged,             ///< a slow reader missed items
  dead_lettered,      ///< the job was moved to the dead letters
  snoozed,            ///< the job was put back for later
};

namespace detail {

class penstock_category final : public std::error_category {
 public:
  constexpr penstock_category() noexcept = default;
  const char* name() const noexcept override { return "penstock"; }
  std::string message(int value) const override {
    const char* const t = text(value);
    return {t, std::char_traits<char>::length(t)};  // no template that is instantiated here
  }
  // So that `code == std::errc::timed_out` holds where the meaning is the same.
  std::error_condition default_error_condition(int value) const noexcept override {
    switch (static_cast<errc>(value)) {
      case errc::canceled:
        return std::make_error_condition(std::errc::operation_canceled);
      case errc::timed_out:
        return std::make_error_condition(std::errc::timed_out);
      case errc::would_deadlock:
        return std::make_error_condition(std::errc::resource_deadlock_would_occur);
      case errc::invalid_option:
        return std::make_error_condition(std::errc::invalid_argument);
      case errc::not_found:
        return std::make_error_condition(std::errc::no_such_file_or_directory);
      case errc::protocol_error:
        return std::make_error_condition(std::errc::protocol_error);
      default:
        return {value, *this};
    }
  }

 private:
  static const char* text(int value) noexcept {
    switch (static_cast<errc>(value)) {
      case errc::canceled:
        return "canceled";
      case errc::timed_out:
        return "timed out";
      case errc::closed:
        return "closed";
      case errc::circuit_open:
        return "circuit breaker is open";
      case errc::rate_limited:
        return "rate limit reached";
      case errc::overloaded:
        return "overloaded";
      case errc::exhausted:
        return "exhausted";
      case errc::would_deadlock:
        return "would deadlock";
      case errc::never_satisfiable:
        return "can never be satisfied";
      case errc::invalid_option:
        return "invalid option";
      case errc::lease_lost:
        return "lease lost";
      case errc::source_changed:
        return "source changed";
      case errc::checksum_mismatch:
        return "checksum mismatch";
      case errc::not_found:
        return "not found";
      case errc::protocol_error:
        return "protocol error";
      case errc::corrupt:
        return "corrupt data";
      case errc::lagged:
        return "lagged behind";
      case errc::dead_lettered:
        return "dead-lettered";
      case errc::snoozed:
        return "snoozed";
    }
    return "unknown error";
  }
};

// Initialised at compile time and never destroyed: errors exist before and after main.
union category_storage {
  constexpr category_storage() noexcept : category() {}
  ~category_storage() {}
  penstock_category category;
};
inline constinit category_storage the_category;

}  // namespace detail

/// The category of `errc`; its name is "penstock".
inline const std::error_category& penstock_category() noexcept {
  return detail::the_category.category;
}
inline std::error_code make_error_code(errc e) noexcept {
  return {static_cast<int>(e), penstock_category()};
}

}  // namespace penstock

template <>
struct std::is_error_code_enum<penstock::errc> : std::true_type {};
