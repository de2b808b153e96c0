// penstock/adapters/zlib/gzip_stream.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// gzip piece by piece: what fits no memory, or comes bit by bit. All at once: gzip_codec.hpp.

#include <penstock/adapters/zlib/detail/gzip_engine.hpp>

namespace penstock::gzip {

/// Compresses what it is fed into one member.
///
/// **Shape.** a `penstock::codec`.
/// **Errors.** `errc::invalid_option`, from the first `next()`.
/// **Thread-safety.** distinct: safe; same object: one thread at a time, any.
/// **Complexity.** a state of zlib, made by the first `next()` (256 KiB), and pieces.
class compressor : public codec_core<penstock::detail::gzip_encoder> {
 public:
  explicit compressor(compress_options o = {})
      : codec_core(penstock::detail::gzip_encoder(o), o.piece_size, any_size, validate(o)) {}
};

/// Decompresses one member after the other.
///
/// **Shape.** a `penstock::codec`.
/// **Errors.** as of `gzip::decompress`, as soon as they show.
/// **Thread-safety.** distinct: safe; same object: one thread at a time, any.
/// **Complexity.** whatever the input expands to, a state of zlib (40 KiB) and pieces.
class decompressor : public codec_core<penstock::detail::gzip_decoder> {
 public:
  explicit decompressor(decompress_options o = {})
      : codec_core(penstock::detail::gzip_decoder(), o.piece_size, o.max_size, validate(o)) {}
};

}  // namespace penstock::gzip
