// penstock/adapters/brotli/brotli_codec.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// brotli all at once, for what is in memory as a whole. Piece by piece: brotli_stream.hpp.

#include <penstock/adapters/brotli/detail/brotli_engine.hpp>

#include <string_view>

namespace penstock::brotli {

/// `input` compressed, a `buffer` or any other bytes; the same for the same bytes and options.
///
/// **Errors.** `errc::invalid_option`; throws std::bad_alloc only.
/// **Complexity.** blocks its thread, on a loop use `offload`; a state of brotli for the time of
/// the call (level 5: 2 MiB for 64 KiB of input, 11 MiB for 1 MiB), and the result.
/// **Example.** @snippet tests/adapters/brotli_test.cpp round-trip
[[nodiscard]] inline result<buffer> compress(std::span<const std::byte> input,
                                             compress_options o = {}) {
  if (auto valid = validate(o); !valid) return fail(std::move(valid).error());
  penstock::detail::brotli_encoder engine(o);
  return run_codec(engine, input, BrotliEncoderMaxCompressedSize(input.size()));
}

/// What `input`, a `buffer` or any other bytes, was before `compress`.
///
/// **Errors.** `errc::corrupt` for what brotli did not write, that ends early, is empty, or has
/// something else behind it, also when brotli wrote that; `std::errc::file_too_large` for more than
/// `max_size`; `errc::invalid_option`. Throws std::bad_alloc only. The format has no checksum:
/// damage may go unnoticed, and give other bytes.
/// **Complexity.** as `compress` (the window, at most 16 MiB). It allocates by what comes out.
[[nodiscard]] inline result<buffer> decompress(std::span<const std::byte> input,
                                               decompress_options o = {}) {
  if (auto valid = validate(o); !valid) return fail(std::move(valid).error());
  penstock::detail::brotli_decoder engine;
  return run_codec(engine, input, 4 * input.size(), o.max_size);
}

/// `compress` with its options, for `best_of`.
struct codec {
  /// As in Content-Encoding.
  static constexpr std::string_view name = "br";
  compress_options options{};

  [[nodiscard]] result<buffer> operator()(std::span<const std::byte> input) const {
    return compress(input, options);
  }
};

}  // namespace penstock::brotli
