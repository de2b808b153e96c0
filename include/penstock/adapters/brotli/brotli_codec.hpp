// penstock/adapters/brotli/brotli_codec.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// brotli (RFC 7932) all at once, for what is in memory as a whole. Piece by piece:
/// brotli_stream.hpp.

#include <penstock/adapters/brotli/detail/brotli_engine.hpp>

#include <string_view>

namespace penstock::brotli {

/// `input`, a `buffer` or any other bytes, as one stream.
///
/// **Errors.** `errc::invalid_option`; throws std::bad_alloc only.
/// **Complexity.** blocks its thread, on a loop use `offload`; a state of the library for the time
/// of the call (level 5: some 10 MiB), and the result.
/// **Example.** @snippet tests/adapters/brotli_test.cpp round-trip
[[nodiscard]] inline result<buffer> compress(std::span<const std::byte> input,
                                             compress_options o = {}) {
  if (auto valid = validate(o); !valid) return fail(std::move(valid).error());
  penstock::detail::brotli_encoder engine(o);
  return run_codec(engine, input, BrotliEncoderMaxCompressedSize(input.size()) + 16);
}

/// The stream that `input` is, a `buffer` or any other bytes.
///
/// **Errors.** `errc::corrupt` for what brotli did not write, that ends early, is empty, or has
/// something behind it (the format has no checksum: not every damage is found);
/// `std::errc::file_too_large` for more than `max_size`; `errc::invalid_option`. Throws
/// std::bad_alloc only.
/// **Complexity.** as `compress`.
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
