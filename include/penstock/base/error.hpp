// penstock/base/error.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `error`: a std::error_code, and when somebody said more, what failed, on what, and why. It is
/// what a `result` holds (result.hpp); the codes of the library are in errc.hpp.

#include <penstock/base/clock.hpp>
#include <penstock/base/config.hpp>
#include <penstock/base/errc.hpp>
#include <penstock/base/taken.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace penstock {

/// Why a retry did not try again.
enum class retry_stop : unsigned char {
  none,           ///< it was not stopped, or there was no retry
  attempts,       ///< all attempts are used up
  budget,         ///< the retry budget is used up
  deadline,       ///< the next attempt would come too late
  non_retryable,  ///< the error says that another attempt is useless
  canceled,       ///< the work was stopped
  pushback,       ///< the server asked not to be tried again
};

namespace detail {
struct error_detail;
struct error_note;
template <class T>
struct typed_note;
}  // namespace detail

#if PENSTOCK_ASAN && !defined(__clang__)
// With the address sanitizer g++ 12 takes the union in a result for an error that is not
// initialised.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/// What went wrong.
///
/// **Shape.** error code + optional detail {operation, object, cause, retry-after, why, notes}; the
/// detail is shared by copies and never changes once it is shared.
/// **Errors.** nothing throws, except message() when memory is out. Where memory is out for the
/// detail, it is left out: the code always arrives.
/// **Thread-safety.** distinct: safe, also where they share a detail; same object: one thread.
/// **Complexity.** 24 bytes; without a detail a copy is three words, and destruction one
/// comparison.
/// **Example.** @snippet tests/base/error_test.cpp error
/// **See also.** `result`, `fail`.
class [[nodiscard]] error {
 public:
  /// No error: code 0.
  error() noexcept = default;
  error(std::error_code code) noexcept : code_(code) {}
  error(std::errc e) noexcept : code_(std::make_error_code(e)) {}
  template <class Enum>
  requires std::is_error_code_enum_v<Enum> error(Enum e)
  noexcept : code_(e) {}

  error(const error& other) noexcept : code_(other.code_), detail_(other.detail_) {
    if (detail_) [[unlikely]]
      retain(*detail_);
  }
  error(error&& other) noexcept : code_(other.code_), detail_(other.detail_) {
    other.detail_ = nullptr;
  }
  error& operator=(const error& other) noexcept { return *this = error(other); }
  error& operator=(error&& other) noexcept {
    code_ = other.code_;
    auto* const taken = detail::taken(other.detail_);  // first: `other` may be this one
    if (auto* const old = detail_) drop(old);
    detail_ = taken;
    return *this;
  }
  ~error() {
    if (detail_) [[unlikely]]
      drop(detail_);
  }

  [[nodiscard]] const std::error_code& code() const noexcept { return code_; }
  /// What failed, as "open"; empty when nobody said.
  [[nodiscard]] std::string_view operation() const noexcept;
  /// On what it failed, as a path; empty when nobody said.
  [[nodiscard]] std::string_view object() const noexcept;
  /// What made it fail; an error with code 0 when nobody said.
  [[nodiscard]] error cause() const noexcept;
  /// How long the one that refused asked to wait before another attempt.
  template <class Duration = duration>  // a template: who does not ask does not pay for optional
  [[nodiscard]] std::optional<Duration> retry_after() const noexcept;
  /// Why a retry gave up.
  [[nodiscard]] retry_stop why() const noexcept;
  /// One sentence: "open '/x/y': No such file or directory".
  [[nodiscard]] std::string message() const;

  /// The same error, saying that `operation` failed on `object`. Named already: this operation
  /// failed because that one did, and the message names both, outermost first.
  [[nodiscard]] error with(std::string_view operation,
                           std::string_view object = {}) const& noexcept {
    return error(*this).with(operation, object);
  }
  [[nodiscard]] error with(std::string_view operation, std::string_view object = {}) && noexcept;
  /// The same error, caused by `cause`.
  [[nodiscard]] error caused_by(error cause) const& noexcept {
    return error(*this).caused_by(std::move(cause));
  }
  [[nodiscard]] error caused_by(error cause) && noexcept;
  /// The same error, with the wish of the one that refused.
  [[nodiscard]] error retry_after(duration d) const& noexcept {
    return error(*this).retry_after(d);
  }
  [[nodiscard]] error retry_after(duration d) && noexcept;
  /// The same error, saying why it was not tried again.
  [[nodiscard]] error stopped_because(retry_stop why) const& noexcept {
    return error(*this).stopped_because(why);
  }
  [[nodiscard]] error stopped_because(retry_stop why) && noexcept;

  /// The same error, carrying `value`, for whoever asks for a `T`: an order of a job's handler, a
  /// server's answer.
  template <class T>
  requires std::is_nothrow_move_constructible_v<T>
  [[nodiscard]] error attach(T value) && noexcept;
  template <class T>
  requires std::is_nothrow_move_constructible_v<T>
  [[nodiscard]] error attach(T value) const& noexcept {
    return error(*this).attach(std::move(value));
  }
  /// The newest `T` attached, or null.
  template <class T>
  [[nodiscard]] const T* attached() const noexcept;

  /// Codes are compared, details are not. A std::errc stands for all codes that mean it.
  friend bool operator==(const error& a, const error& b) noexcept { return a.code_ == b.code_; }
  friend bool operator==(const error& a, errc b) noexcept { return a.code_ == make_error_code(b); }
  friend bool operator==(const error& a, std::errc b) noexcept { return a.code_ == b; }
  friend bool operator==(const error& a, const std::error_code& b) noexcept { return a.code_ == b; }
  friend bool operator==(const error& a, const std::error_condition& b) noexcept {
    return a.code_ == b;
  }

 private:
  friend struct detail::error_detail;

  static void retain(detail::error_detail& d) noexcept;
  static void drop(detail::error_detail* d) noexcept;
  // A detail that is this object's alone, or null when memory is out.
  detail::error_detail* own() noexcept;
  // The next detail, along the causes with the same code, or null.
  const detail::error_detail* next(const detail::error_detail& d) const noexcept;

  std::error_code code_;
  detail::error_detail* detail_ = nullptr;
};
static_assert(sizeof(error) <= 24);

#if PENSTOCK_ASAN && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// The error of a system call: `number` is errno.
[[nodiscard]] inline error errno_error(int number) noexcept {
  return std::error_code(number, std::generic_category());
}

}  // namespace penstock

#include <penstock/base/detail/error_detail.hpp>
