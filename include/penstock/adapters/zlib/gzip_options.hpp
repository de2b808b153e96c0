// penstock/adapters/zlib/gzip_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What gzip is told.

#include <penstock/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace penstock::gzip {

/// Options of `gzip::compress`, `gzip::compressor` and `gzip::codec`.
struct compress_options {
  /// 1 to 9: higher is smaller and slower.
  int level = 6;
  /// 1 to 9: memory for the compression, 2^(level + 9) bytes; more is a little faster and smaller.
  int mem_level = 8;
  /// Bytes of a piece that `compressor::next` gives, 1 to 1 GiB. Nothing to `compress`.
  std::size_t piece_size = 64u << 10;
};
static_assert(std::is_trivially_copyable_v<compress_options>);

/// Options of `gzip::decompress` and `gzip::decompressor`.
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
  if (o.level < 1 || o.level > 9) what = "level is not in 1 .. 9";
  if (o.mem_level < 1 || o.mem_level > 9) what = "mem_level is not in 1 .. 9";
  if (o.piece_size == 0 || o.piece_size > (std::size_t{1} << 30))
    what = "piece_size is not in 1 .. 1 GiB";
  if (what) return fail(errc::invalid_option, "gzip::compress_options", what);
  return {};
}
/// **Errors.** `errc::invalid_option`, naming the option.
[[nodiscard]] inline result<> validate(const decompress_options& o) {
  if (o.piece_size == 0 || o.piece_size > (std::size_t{1} << 30))
    return fail(errc::invalid_option, "gzip::decompress_options",
                "piece_size is not in 1 .. 1 GiB");
  return {};
}

}  // namespace penstock::gzip
