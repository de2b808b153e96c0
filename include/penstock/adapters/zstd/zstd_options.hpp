// penstock/adapters/zstd/zstd_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What zstd is told.

#include <penstock/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace penstock::zstd {

/// Options of `zstd::compress`, `zstd::compressor` and `zstd::codec`.
struct compress_options {
  /// -7 to 22: higher is smaller and slower, negative ones are faster than 1; 0 is 3.
  int level = 3;
  /// Whether each frame ends with a checksum of 4 bytes, which decompress looks at.
  bool checksum = false;
  /// Bytes of a piece that `compressor::next` gives, 1 to 1 GiB. Nothing to `compress`.
  std::size_t piece_size = 64u << 10;
};
static_assert(std::is_trivially_copyable_v<compress_options>);

/// Options of `zstd::decompress` and `zstd::decompressor`.
struct decompress_options {
  /// Bytes that may come out in all: more is an error. `any_size`: no limit.
  std::uint64_t max_size = 1u << 30;
  /// The largest window that a frame may ask for, as power of two, 10 to 31: 27 is 128 MiB, of
  /// which a decompressor has one. Levels up to 19 need 23, `zstd --ultra --long` more.
  int window_log = 27;
  /// Bytes of a piece that `decompressor::next` gives, 1 to 1 GiB. Nothing to `decompress`.
  std::size_t piece_size = 64u << 10;
};
static_assert(std::is_trivially_copyable_v<decompress_options>);

/// **Errors.** `errc::invalid_option`, naming the option.
[[nodiscard]] inline result<> validate(const compress_options& o) {
  const char* what = nullptr;
  if (o.level < -7 || o.level > 22) what = "level is not in -7 .. 22";
  if (o.piece_size == 0 || o.piece_size > (std::size_t{1} << 30))
    what = "piece_size is not in 1 .. 1 GiB";
  if (what) return fail(errc::invalid_option, "zstd::compress_options", what);
  return {};
}
/// **Errors.** `errc::invalid_option`, naming the option.
[[nodiscard]] inline result<> validate(const decompress_options& o) {
  const char* what = nullptr;
  if (o.window_log < 10 || o.window_log > 31) what = "window_log is not in 10 .. 31";
  if (o.piece_size == 0 || o.piece_size > (std::size_t{1} << 30))
    what = "piece_size is not in 1 .. 1 GiB";
  if (what) return fail(errc::invalid_option, "zstd::decompress_options", what);
  return {};
}

}  // namespace penstock::zstd
