// penstock/base/result.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `result<T>`: a value or an error. The only header that includes tl/expected.

#include <penstock/base/error.hpp>

#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

namespace penstock {

/// What an operation yields whose failure is an expected outcome: a `T`, or an `error`.
template <class T = void>
using result = tl::expected<T, error>;

/// The unexpected value of a `result`: `return fail(errc::closed);`
[[nodiscard]] inline tl::unexpected<error> fail(error e) noexcept {
  return tl::unexpected<error>(std::move(e));
}
/// The same, saying what failed and on what: `return fail(std::errc::io_error, "read", path);`
[[nodiscard]] inline tl::unexpected<error> fail(error e, std::string_view operation,
                                                std::string_view object = {}) noexcept {
  return tl::unexpected<error>(std::move(e).with(operation, object));
}

namespace detail {
template <class T>
struct result_traits {
  static constexpr bool is_result = false;
  using flattened = result<T>;
};
template <class T>
struct result_traits<result<T>> {
  static constexpr bool is_result = true;
  using value = T;
  using flattened = result<T>;
};
}  // namespace detail

/// Whether `T` is a `result` of something.
template <class T>
inline constexpr bool is_result_v = detail::result_traits<std::remove_cv_t<T>>::is_result;
/// The `U` of a `result<U>`.
template <class T>
using result_value_t = typename detail::result_traits<std::remove_cv_t<T>>::value;
/// What something that may also fail by itself yields: `result<T>` for a `T`, a `result<T>` as it
/// is.
template <class T>
using as_result_t = typename detail::result_traits<T>::flattened;

}  // namespace penstock
