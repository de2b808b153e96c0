// penstock/base/format.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// fmt's formatters of the library's types, and numbers as people read them. The home of fmt.

#include <penstock/base/clock.hpp>
#include <penstock/base/error.hpp>

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

namespace penstock {

namespace detail {
// Three digits at most, no trailing zeros after the point.
inline std::string short_number(double value) {
  std::string s = fmt::format("{:.{}f}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
  if (s.find('.') != std::string::npos) {
    while (s.back() == '0') s.pop_back();
    if (s.back() == '.') s.pop_back();
  }
  return s;
}
}  // namespace detail

/// "999 B", "64 KiB", "1.5 GiB": powers of 1024, three digits.
[[nodiscard]] inline std::string format_bytes(std::uint64_t bytes) {
  constexpr std::string_view units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= (unit ? 1023.5 : 1024) && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  if (unit && value >= 999.5) return fmt::format("{:.0f} {}", value, units[unit]);
  return fmt::format("{} {}", detail::short_number(value), units[unit]);
}

/// "850 ns", "1.5 ms", "12.3 s", "2 min 5 s", "1 h 30 min", "3 d 4 h".
[[nodiscard]] inline std::string format_duration(duration d) {
  const bool negative = d < duration::zero();
  const auto count = static_cast<std::uint64_t>(d.count());
  const std::uint64_t ns = negative ? 0 - count : count;
  const std::string_view sign = negative ? "-" : "";
  const auto scaled = [&](double divisor, std::string_view unit) {
    return fmt::format("{}{} {}", sign, detail::short_number(static_cast<double>(ns) / divisor),
                       unit);
  };
  if (ns < 1'000) return scaled(1, "ns");
  if (ns < 999'500) return scaled(1e3, "us");
  if (ns < 999'500'000) return scaled(1e6, "ms");
  if (ns < 59'950'000'000) return scaled(1e9, "s");

  const std::uint64_t s = ns / 1'000'000'000 + (ns % 1'000'000'000 >= 500'000'000 ? 1 : 0);
  const auto two = [&](std::uint64_t high, std::string_view unit, std::uint64_t low,
                       std::string_view low_unit) {
    if (low == 0) return fmt::format("{}{} {}", sign, high, unit);
    return fmt::format("{}{} {} {} {}", sign, high, unit, low, low_unit);
  };
  if (s < 3600) return two(s / 60, "min", s % 60, "s");
  if (s < 86400) return two(s / 3600, "h", s % 3600 / 60, "min");
  return two(s / 86400, "d", s % 86400 / 3600, "h");
}

/// "812 MiB/s": how fast `bytes` went in `d`; "- B/s" for no time.
[[nodiscard]] inline std::string format_throughput(std::uint64_t bytes, duration d) {
  if (d <= duration::zero()) return "- B/s";
  const double rate = static_cast<double>(bytes) * 1e9 / static_cast<double>(d.count());
  return format_bytes(static_cast<std::uint64_t>(rate < 1.8e19 ? rate : 1.8e19)) + "/s";
}

}  // namespace penstock

namespace penstock::detail {
// A formatter of what is one text: `{}`, without width and alignment, which would need
// <fmt/format.h>.
struct text_formatter {
  template <class Parse>
  constexpr auto parse(Parse& context) {
    const auto it = context.begin();
    if (it != context.end() && *it != '}') context.on_error("this type is formatted by {}");
    return it;
  }
  // Not by fmt::format_to: Debian's libfmt, built by g++, has it under a name that clang does not
  // use.
  template <class Context>
  static auto write(std::string_view text, Context& context) {
    auto out = context.out();
    for (const char c : text) *out++ = c;
    return out;
  }
};
}  // namespace penstock::detail

/// `{}` is the error's sentence.
template <>
struct fmt::formatter<penstock::error> : penstock::detail::text_formatter {
  template <class Context>
  auto format(const penstock::error& e, Context& context) const {
    return write(e.message(), context);
  }
};

/// `{}` is the text of the code.
template <>
struct fmt::formatter<penstock::errc> : penstock::detail::text_formatter {
  template <class Context>
  auto format(penstock::errc e, Context& context) const {
    return write(penstock::make_error_code(e).message(), context);
  }
};
