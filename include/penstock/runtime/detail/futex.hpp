// penstock/runtime/detail/futex.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Sleeping on a 32-bit word.

#include <penstock/base/atomic.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cstdint>

namespace penstock::detail {

static_assert(sizeof(atomic<std::uint32_t>) == sizeof(std::uint32_t), "it is the futex word");

// Returns at once when `word` is not `expected`; may return for no reason.
inline void futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, expected, nullptr, nullptr, 0);
}
inline void futex_wake(atomic<std::uint32_t>& word, int waiters) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, waiters, nullptr, nullptr, 0);
}

}  // namespace penstock::detail
