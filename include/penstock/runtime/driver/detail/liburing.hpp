// penstock/runtime/driver/detail/liburing.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The only place that includes liburing, and what version 2.3 of it lacks.

#pragma push_macro("BLOCK_SIZE")
#include <liburing.h>
#undef BLOCK_SIZE
#pragma pop_macro("BLOCK_SIZE")

#include <cstdint>

namespace penstock::detail {

inline constexpr std::uint8_t uring_op_ftruncate = 55;
inline constexpr std::uint16_t uring_zc_report_usage = 1u << 3;  // ioprio of a zero-copy send
inline constexpr std::uint32_t uring_zc_copied = 1u << 31;       // in its notification

}  // namespace penstock::detail
