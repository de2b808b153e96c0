// penstock/stream/is_compressible.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Whether it is worth a try to compress something, by its media type.

#include <cstddef>
#include <string_view>

namespace penstock {
namespace detail {
constexpr char media_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
// `lower` is in lower case.
constexpr bool media_starts(std::string_view type, std::string_view lower) noexcept {
  if (type.size() < lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i)
    if (media_lower(type[i]) != lower[i]) return false;
  return true;
}
constexpr bool media_is(std::string_view type, std::string_view lower) noexcept {
  return type.size() == lower.size() && media_starts(type, lower);
}
constexpr bool media_ends(std::string_view type, std::string_view lower) noexcept {
  return type.size() >= lower.size() &&
         media_starts(type.substr(type.size() - lower.size()), lower);
}
// Not compressed, though what they are is mostly.
inline constexpr std::string_view media_plain[] = {
    "image/bmp",     "image/x-ms-bmp",    "image/x-icon",    "image/vnd.microsoft.icon",
    "image/svg+xml", "audio/wav",         "audio/wave",      "audio/x-wav",
    "audio/aiff",    "audio/vnd.wave",    "audio/x-aiff",    "image/x-portable-bitmap",
    "audio/midi",    "video/vnd.mpegurl", "audio/x-mpegurl", "image/x-portable-pixmap",
    "audio/mpegurl", "image/x-xpixmap",   "image/x-xbitmap", "image/x-portable-graymap",
    "audio/l16",     "image/vnd.dxf",     "image/x-tga",     "image/x-portable-anymap",
};
// Compressed by themselves.
inline constexpr std::string_view media_packed[] = {
    "image/",
    "video/",
    "audio/",
    "font/woff",  // woff2 too
    "application/font-woff",
    "application/zip",
    "application/x-zip",
    "application/gzip",
    "application/x-gzip",
    "application/x-gtar",
    "application/x-compress",
    "application/zstd",
    "application/x-zstd",
    "application/x-brotli",
    "application/x-bzip",
    "application/x-xz",
    "application/x-lz",
    "application/x-7z-compressed",
    "application/x-rar",
    "application/vnd.rar",
    "application/x-ace",
    "application/x-arj",
    "application/java-archive",
    "application/vnd.android.package-archive",
    "application/vnd.debian.binary-package",
    "application/x-debian-package",
    "application/x-rpm",
    "application/x-apple-diskimage",
    "application/vnd.ms-cab-compressed",
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
    "application/ogg",
};
}  // namespace detail

/// Whether bytes of this media type mostly become smaller: not images, video, audio and archives,
/// but for those of them that are not compressed by themselves (SVG, BMP, WAV).
///
/// **Parameters.** `media_type` - as in Content-Type, parameters and letters of either case
/// allowed; an empty or unknown one is worth a try.
/// **Example.** @snippet tests/stream/is_compressible_test.cpp media
[[nodiscard]] constexpr bool is_compressible(std::string_view media_type) noexcept {
  std::string_view type = media_type.substr(0, media_type.find(';'));
  while (!type.empty() && (type.front() == ' ' || type.front() == '\t')) type.remove_prefix(1);
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  for (const std::string_view plain : detail::media_plain)
    if (detail::media_is(type, plain)) return true;
  for (const std::string_view packed : detail::media_packed)
    if (detail::media_starts(type, packed)) return false;
  return !detail::media_ends(type, "+zip") && !detail::media_ends(type, "+gzip") &&
         !detail::media_ends(type, "+zstd");
}

}  // namespace penstock
