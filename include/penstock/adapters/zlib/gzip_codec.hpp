// penstock/adapters/zlib/gzip_codec.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// gzip all at once, for what is in memory as a whole. Piece by piece: gzip_stream.hpp.

#include <penstock/adapters/zlib/detail/gzip_engine.hpp>

#include <string_view>

namespace penstock::gzip {

/// One member of `input`, a `buffer` or any other bytes; the same for the same bytes and options.
///
/// **Errors.** `errc::invalid_option`; throws std::bad_alloc only.
/// **Complexity.** blocks its thread, on a loop use `offload`; a state of zlib for the time of the
/// call (256 KiB), and the result.
/// **Example.** @snippet tests/adapters/gzip_test.cpp round-trip
[[nodiscard]] inline result<buffer> compress(std::span<const std::byte> input,
                                             compress_options o = {}) {
  if (auto valid = validate(o); !valid) return fail(std::move(valid).error());
  penstock::detail::gzip_encoder engine(o);
  return run_codec(engine, input, penstock::detail::gzip_bound(input.size()));
}

/// All members of `input`, a `buffer` or any other bytes, one after the other.
///
/// **Errors.** `errc::corrupt` for what gzip did not write, that ends early, is empty, or has
/// something else behind it, zeros too; `std::errc::file_too_large` for more than `max_size`;
/// `errc::invalid_option`. Throws std::bad_alloc only.
/// **Complexity.** as `compress` (40 KiB). It allocates by what comes out, whatever the input says
/// of its size.
[[nodiscard]] inline result<buffer> decompress(std::span<const std::byte> input,
                                               decompress_options o = {}) {
  if (auto valid = validate(o); !valid) return fail(std::move(valid).error());
  penstock::detail::gzip_decoder engine;
  return run_codec(engine, input, penstock::detail::gzip_guess(input), o.max_size);
}

/// `compress` with its options, for `best_of`.
struct codec {
  /// As in Content-Encoding.
  static constexpr std::string_view name = "gzip";
  compress_options options{};

  [[nodiscard]] result<buffer> operator()(std::span<const std::byte> input) const {
    return compress(input, options);
  }
};

}  // namespace penstock::gzip
