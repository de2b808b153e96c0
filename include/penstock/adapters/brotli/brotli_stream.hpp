// penstock/adapters/brotli/brotli_stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// brotli piece by piece: what fits no memory, or comes bit by bit. All at once: brotli_codec.hpp.

#include <penstock/adapters/brotli/detail/brotli_engine.hpp>

namespace penstock::brotli {

/// Compresses what it is fed as it goes.
///
/// **Shape.** a `penstock::codec`.
/// **Errors.** `errc::invalid_option`, from the first `next()`.
/// **Thread-safety.** distinct: safe; same object: one thread at a time, any.
/// **Complexity.** a state of brotli, made by the first `next()` (level 5: about 40 MiB, less
/// with a smaller `window_log`; level 11: 60 MiB and more), and pieces.
class compressor : public codec_core<penstock::detail::brotli_encoder> {
 public:
  explicit compressor(compress_options o = {})
      : codec_core(penstock::detail::brotli_encoder(o), o.piece_size, any_size, validate(o)) {}
};

/// Decompresses what one compressor wrote.
///
/// **Shape.** a `penstock::codec`.
/// **Errors.** as of `brotli::decompress`, as soon as they show.
/// **Thread-safety.** distinct: safe; same object: one thread at a time, any.
/// **Complexity.** whatever the input expands to, a state of brotli with its window, at most 16
/// MiB, and pieces.
class decompressor : public codec_core<penstock::detail::brotli_decoder> {
 public:
  explicit decompressor(decompress_options o = {})
      : codec_core(penstock::detail::brotli_decoder(), o.piece_size, o.max_size, validate(o)) {}
};

}  // namespace penstock::brotli
