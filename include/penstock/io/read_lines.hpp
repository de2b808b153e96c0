// penstock/io/read_lines.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A text file as a stream of its lines.

#include <penstock/io/read_chunks.hpp>
#include <penstock/stream/lines.hpp>

#include <cstddef>
#include <type_traits>

namespace penstock {

/// The lines of `source` from its position on: `read_chunks(source, 256_KiB) | lines(options)`.
///
/// **Shape.** of three lines, 1 ms a read: `-(abc|)`; the second one too long: `-(a#)`
/// **Parameters.** `options` - of `lines`.
/// **Result.** a stream of `buffer`, each a line without its end; nothing for an empty file.
/// **Errors.** those of `read_chunks` and of `lines`.
/// **Suspends.** as `read_chunks`.
/// **Cancellation.** as `read_chunks`; the position of the file is behind the last chunk that was
/// read, not behind the last line.
/// **Ordering.** emits when the end of a line is read; backpressures always; completes at the end
/// of the file; fails when a read does, or a line is too long; cancels the read in flight.
/// **Complexity.** allocates as many chunks as are alive at once, and for each line that goes over
/// the end of a chunk.
/// **Lifetime.** the file must outlive the stream; lines may outlive both, and keep their chunk.
/// **Example.** @snippet tests/io/read_lines_test.cpp lines
template <class File = file>
[[nodiscard]] auto read_lines(std::type_identity_t<File>& source,
                              lines_options options = {}) noexcept {
  return read_chunks<File>(source, std::size_t{256} << 10) | lines(options);
}

}  // namespace penstock
