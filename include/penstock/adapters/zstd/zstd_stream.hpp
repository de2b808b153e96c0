// penstock/adapters/zstd/zstd_stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// zstd piece by piece: what fits no memory, or comes bit by bit. All at once: zstd_codec.hpp.

#include <penstock/adapters/zstd/detail/zstd_engine.hpp>

namespace penstock::zstd {

/// Compresses what it is fed into one frame.
///
/// **Shape.** a `penstock::codec`.
/// **Errors.** `errc::invalid_option`, from the first `next()`.
/// **Thread-safety.** distinct: safe; same object: one thread at a time, any.
/// **Complexity.** a context of libzstd, made by the first `next()` (level 3: about 4 MiB; level
/// 19: about 80 MiB), and pieces.
class compressor : public codec_core<penstock::detail::zstd_encoder> {
 public:
  explicit compressor(compress_options o = {})
      : codec_core(penstock::detail::zstd_encoder(o), o.piece_size, any_size, validate(o)) {}
};

/// Decompresses one frame after the other.
///
/// **Shape.** a `penstock::codec`.
/// **Errors.** as of `zstd::decompress`, as soon as they show.
/// **Thread-safety.** distinct: safe; same object: one thread at a time, any.
/// **Complexity.** whatever the input expands to, a context of libzstd with the window that the
/// frame asks for, at most 2^`window_log` bytes, and pieces.
class decompressor : public codec_core<penstock::detail::zstd_decoder> {
 public:
  explicit decompressor(decompress_options o = {})
      : codec_core(penstock::detail::zstd_decoder(o), o.piece_size, o.max_size, validate(o)) {}
};

}  // namespace penstock::zstd
