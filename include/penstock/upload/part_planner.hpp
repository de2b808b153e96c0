// penstock/upload/part_planner.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How an object is cut into parts: the limits of S3 multipart uploads, which every target keeps.

#include <penstock/base/result.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

namespace penstock {

/// The limits of a plan, in parts and bytes.
struct part_limits {
  std::uint64_t max_parts = 10'000;  ///< 1 to 4,294,967,295
  std::uint64_t max_part_size = std::uint64_t{5} << 30;
  /// A part size that the plan chooses, larger than the one asked for, is a multiple of this.
  std::uint64_t alignment = 1;
};
static_assert(std::is_trivially_copyable_v<part_limits>);

/// One part of an object: bytes [offset, offset + size).
struct upload_part {
  std::uint32_t index = 0;  ///< from 0
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// Parts of one size, the last one smaller: what is left. No bytes: no parts.
struct part_plan {
  std::uint64_t length = 0;
  std::uint64_t part_size = 0;
  std::uint32_t count = 0;

  [[nodiscard]] upload_part part(std::uint32_t index) const noexcept {
    const std::uint64_t offset = index * part_size;
    return {index, offset, (std::min)(part_size, length - offset)};
  }
  friend bool operator==(const part_plan&, const part_plan&) = default;
};

/// Plans parts of `asked` bytes, or where these were too many, of the smallest multiple of
/// `alignment` that keeps within `max_parts`.
///
/// **Parameters.** `asked` - bytes, 1 to `max_part_size`; S3 wants at least 5 MiB.
/// **Errors.** `errc::invalid_option` for an `asked`, `max_parts` or `alignment` out of range;
/// `errc::never_satisfiable` for a length above `max_parts` x `max_part_size` (48.8 TiB).
/// **Complexity.** O(1), no allocation.
[[nodiscard]] inline result<part_plan> plan_parts(std::uint64_t length, std::uint64_t asked,
                                                  part_limits limits = {}) {
  constexpr std::uint64_t most = (std::numeric_limits<std::uint32_t>::max)();
  const auto refused = [](std::string why) {
    return fail(errc::invalid_option, "plan parts", why);
  };
  if (limits.max_parts == 0 || limits.max_parts > most) {
    return refused("max_parts is not in 1 .. " + std::to_string(most));
  }
  if (limits.alignment == 0) return refused("alignment is 0");
  if (asked == 0 || asked > limits.max_part_size) {
    return refused("part_size is not in 1 .. " + std::to_string(limits.max_part_size));
  }
  std::uint64_t size = length / limits.max_parts + (length % limits.max_parts != 0 ? 1 : 0);
  const std::uint64_t over = size <= asked ? 0 : size % limits.alignment;
  const std::uint64_t more = over == 0 ? 0 : limits.alignment - over;
  if (size > limits.max_part_size || more > limits.max_part_size - size) {
    return fail(errc::never_satisfiable, "plan parts",
                "the object is larger than " + std::to_string(limits.max_parts) + " parts of " +
                    std::to_string(limits.max_part_size) + " bytes");
  }
  size = (std::max)(asked, size + more);
  const auto count = static_cast<std::uint32_t>(length / size + (length % size != 0 ? 1 : 0));
  return part_plan{length, size, count};
}

}  // namespace penstock
