// penstock/adapters/brotli/brotli_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What brotli is told.

#include <penstock/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace penstock::brotli {

/// Options of `brotli::compress`, `brotli::compressor` and `brotli::codec`.
struct compress_options {
  /// 0 to 11: higher is smaller and slower. 5 is for what is compressed as it is sent; 11 is very
  /// slow, for what is compressed once and sent often.
  int level = 5;
  /// How far back a match may be, as power of two, 10 to 24: 22 is 4 MiB. Who decompresses needs
  /// that much memory.
  int window_log = 22;
  /// Bytes of a piece that `compressor::next` gives, 1 to 1 GiB. Nothing to `compress`.
  std::size_t piece_size = 64u << 10;
};
static_assert(std::is_trivially_copyable_v<compress_options>);

/// Options of `brotli::decompress` and `brotli::decompressor`.
struct decompress_options {
  /// Bytes that may come out in all: more is an error. `any_size`: no limit.
  std::uint64_t max_size = 1u << 30;
  /// Bytes of a piece that `decompressor::next` gives, 1 to 1 GiB. Nothing to `decompress`.
  std::size_t piece_size = 64u << 10;
};
static_assert(std::is_trivially_copyable_v<decompress_options>);

/// **Errors.** `errc::invalid_option`, naming the option.
[[nodiscard]] inline result<> validate(const compress_options& o) {
  const char* what = nullptr;
  if (o.level < 0 || o.level > 11) what = "level is not in 0 .. 11";
  if (o.window_log < 10 || o.window_log > 24) what = "window_log is not in 10 .. 24";
  if (o.piece_size == 0 || o.piece_size > (std::size_t{1} << 30))
    what = "piece_size is not in 1 .. 1 GiB";
  if (what) return fail(errc::invalid_option, "brotli::compress_options", what);
  return {};
}
/// **Errors.** `errc::invalid_option`, naming the option.
[[nodiscard]] inline result<> validate(const decompress_options& o) {
  if (o.piece_size == 0 || o.piece_size > (std::size_t{1} << 30))
    return fail(errc::invalid_option, "brotli::decompress_options",
                "piece_size is not in 1 .. 1 GiB");
  return {};
}

}  // namespace penstock::brotli
