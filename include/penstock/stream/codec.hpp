// penstock/stream/codec.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What compresses or decompresses piece by piece, without doing any I/O: the one shape that the
/// compressors and decompressors of all adapters have. How to write one: codec_core.hpp; as a stage
/// of a stream: transcode.hpp.

#include <penstock/base/buffer.hpp>
#include <penstock/base/result.hpp>

#include <concepts>

namespace penstock {

/// Turns buffers into buffers, as many of the one as it takes and as many of the other as come out.
///
/// **Shape.** at first it wants input. `feed(b)` or `finish()` -> `next()` again and again: a piece
/// each time, until it gives an empty buffer -> it wants input again, or is `over()`.
///
///     feed(b) -> next() = piece, piece, {} -> feed(b) -> next() = {} -> finish() -> next() =
///     piece,
///     {} -> over()
///
/// **Parameters.** `feed` - the next bytes, only when input is wanted; the lease is kept until they
/// are used up. `finish()` - there are no more, at any time.
/// **Errors.** of `next()`, as a value; it is the same for ever after. Only std::bad_alloc is
/// thrown.
/// **Thread-safety.** distinct: safe; same object: one thread at a time, any.
template <class C>
concept codec = std::move_constructible<C> && requires(C& c, const C& same, buffer b) {
  c.feed(std::move(b));
  c.finish();
  { c.next() } -> std::same_as<result<buffer>>;
  { same.over() } -> std::convertible_to<bool>;
};

}  // namespace penstock
