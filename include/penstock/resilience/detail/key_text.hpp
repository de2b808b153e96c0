// penstock/resilience/detail/key_text.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a key is called in errors and events.

#include <array>
#include <charconv>
#include <concepts>
#include <string_view>
#include <type_traits>

namespace penstock::detail {

// A key as text, if that costs nothing.
template <class Key>
class key_text {
 public:
  explicit key_text(const Key& key) noexcept {
    if constexpr (std::is_convertible_v<const Key&, std::string_view>) {
      view_ = key;
    } else if constexpr (std::is_integral_v<Key> && !std::same_as<Key, bool>) {
      const auto end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), key).ptr;
      view_ = {digits_.data(), static_cast<std::size_t>(end - digits_.data())};
    }
  }
  key_text(const key_text&) = delete;
  key_text& operator=(const key_text&) = delete;
  [[nodiscard]] std::string_view view() const noexcept { return view_; }

 private:
  std::array<char, 24> digits_;
  std::string_view view_;
};

}  // namespace penstock::detail
