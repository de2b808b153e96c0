// penstock/base/atomic.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The one name by which the library's shared state uses atomics. A model test defines
/// PENSTOCK_ATOMIC_HEADER as a header that defines `penstock::detail::atomic`, the memory orders
/// and `wait_for_write()`, which a thread calls that spins, and explores the interleavings.

#ifdef PENSTOCK_ATOMIC_HEADER
#include PENSTOCK_ATOMIC_HEADER
#else
#include <atomic>

namespace penstock::detail {

template <class T>
using atomic = std::atomic<T>;

using std::memory_order;
using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

}  // namespace penstock::detail
#endif
