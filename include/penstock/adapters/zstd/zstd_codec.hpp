// penstock/adapters/zstd/zstd_codec.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// zstd all at once, for what is in memory as a whole. Piece by piece: zstd_stream.hpp.

#include <penstock/adapters/zstd/detail/zstd_engine.hpp>

#include <string_view>

namespace penstock::zstd {

/// One frame of `input`, a `buffer` or any other bytes.
///
/// **Result.** the frame, which says how long the input is.
/// **Errors.** `errc::invalid_option`; throws std::bad_alloc only.
/// **Complexity.** blocks its thread, on a loop use `offload`; a context of libzstd (level 3: about
/// 1 MiB), which the thread keeps for its next call up to 8 MiB, and the result.
/// **Example.** @snippet tests/adapters/zstd_test.cpp round-trip
[[nodiscard]] inline result<buffer> compress(std::span<const std::byte> input,
                                             compress_options o = {}) {
  if (auto valid = validate(o); !valid) return fail(std::move(valid).error());
  penstock::detail::zstd_encoder engine(o);
  return run_codec(engine, input, ZSTD_compressBound(input.size()));
}

/// All frames of `input`, a `buffer` or any other bytes, one after the other.
///
/// **Errors.** `errc::corrupt` for what zstd did not write, that ends early, is empty, or has
/// something else behind it; `std::errc::file_too_large` for more than `max_size` or a larger
/// window than `window_log`; `errc::invalid_option`. Throws std::bad_alloc only.
/// **Complexity.** as `compress`. It allocates by what comes out, whatever the input says of its
/// size.
[[nodiscard]] inline result<buffer> decompress(std::span<const std::byte> input,
                                               decompress_options o = {}) {
  if (auto valid = validate(o); !valid) return fail(std::move(valid).error());
  penstock::detail::zstd_decoder engine(o);
  return run_codec(engine, input, penstock::detail::zstd_guess(input), o.max_size);
}

/// `compress` with its options, for `best_of`.
struct codec {
  /// As in Content-Encoding.
  static constexpr std::string_view name = "zstd";
  compress_options options{};

  [[nodiscard]] result<buffer> operator()(std::span<const std::byte> input) const {
    return compress(input, options);
  }
};

}  // namespace penstock::zstd
