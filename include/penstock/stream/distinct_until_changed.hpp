// penstock/stream/distinct_until_changed.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Leaves out items that are equal to the one before.

#include <penstock/stream/detail/judged_stream.hpp>

#include <concepts>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
template <class Key, class Fn>
struct has_changed {
  Fn key;
  std::optional<Key> last;
  template <class T>
  bool operator()(const T& item) {
    auto&& now = std::invoke(key, item);
    if (last && *last == now) return false;
    last.emplace(std::forward<decltype(now)>(now));
    return true;
  }
};
template <class Fn, class T>
concept has_equal_keys = requires(
    Fn& key, const T& item, const std::remove_cvref_t<std::invoke_result_t<Fn&, const T&>>& k) {
  { k == std::invoke(key, item) } -> std::convertible_to<bool>;
};
template <class Fn>
class distinct_stage : public stream_stage {
 public:
  static constexpr need needs = need::equality;

  explicit distinct_stage(Fn key) : key_(std::move(key)) {}
  template <class Up>
  requires has_equal_keys<Fn, typename Up::value_type>
  auto over(Up&& up) && {
    using T = typename Up::value_type;
    using Key = std::remove_cvref_t<std::invoke_result_t<Fn&, const T&>>;
    return judged_stream<Up, has_changed<Key, Fn>, pass_if>(
        std::move(up), has_changed<Key, Fn>{std::move(key_), std::nullopt});
  }

 private:
  Fn key_;
};
}  // namespace detail

/// The items that differ from the one before, in what `key(item)` gives; the first one always.
///
/// **Shape.** `-1-1-2-2-1-|` distinct_until_changed() `-1---2---1-|`
/// **Parameters.** `key` - from `const T&` to something that is copied and compared with `==`; the
/// item itself by default. Copied, as by `map`; it does not wait.
/// **Errors.** an exception of `key` or of the comparison is the stream's.
/// **Ordering.** emits when the key differs; backpressures always; completes and fails with the
/// stream; cancels the stream.
/// **Complexity.** keeps one key; fused with its neighbours; no allocation of its own.
/// **Example.** @snippet tests/stream/filter_test.cpp distinct
template <class Key = std::identity>
[[nodiscard]] auto distinct_until_changed(Key&& key = {}) {
  detail::check_closure<Key>();
  return detail::distinct_stage<std::decay_t<Key>>(std::forward<Key>(key));
}

}  // namespace penstock
