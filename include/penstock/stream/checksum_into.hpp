// penstock/stream/checksum_into.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The checksum of the bytes that pass: of a file while it is sent. Of bytes that are there:
/// base/checksum.hpp.

#include <penstock/base/buffer.hpp>
#include <penstock/base/checksum.hpp>
#include <penstock/stream/tap.hpp>

#include <cstdint>

namespace penstock {

/// What `checksum_into` has seen so far. It can be set to go on from an earlier one.
struct running_checksum {
  std::uint32_t crc32c = 0;
  std::uint64_t bytes = 0;

  friend bool operator==(const running_checksum&, const running_checksum&) = default;
};

namespace detail {
struct add_to_checksum {
  static constexpr need needs = need::buffers;

  running_checksum* into;
  void operator()(const buffer& b) const noexcept {
    into->crc32c = penstock::crc32c(b, into->crc32c);
    into->bytes += b.size();
  }
};
}  // namespace detail

/// Passes buffers on, and keeps the CRC-32C and the number of their bytes.
///
/// **Shape.** `-[ab]-c-|` checksum_into(s) `-[ab]-c-|`, with s that of "abc" at the end
/// **Parameters.** `into` - goes on from what it is; it is up to date when a buffer is emitted.
/// **Errors.** none of its own.
/// **Ordering.** emits at once; backpressures always; completes and fails with the stream; cancels
/// the stream.
/// **Complexity.** as `crc32c`; fused with its neighbours; no allocation.
/// **Lifetime.** `into` must outlive the stream; it is read between its items or after its end.
/// **Example.** @snippet tests/stream/checksum_into_test.cpp checksum_into
[[nodiscard]] inline auto checksum_into(running_checksum& into) noexcept {
  return tap(detail::add_to_checksum{&into});
}

}  // namespace penstock
