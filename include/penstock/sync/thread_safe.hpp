// penstock/sync/thread_safe.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The threading policy of the primitives: what they lock and count with.

#include <penstock/base/atomic.hpp>
#include <penstock/base/spin_lock.hpp>

namespace penstock {

/// The default policy: a primitive may be shared by tasks of any number of loops.
struct thread_safe {
  static constexpr bool concurrent = true;
  using lock = detail::spin_lock;
  template <class T>
  using atomic = detail::atomic<T>;
};

}  // namespace penstock
