// penstock/sync/local.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The other threading policy of the primitives: no atomic, no lock. For tasks of several loops use
/// the names without `local::`.

#include <penstock/base/atomic.hpp>
#include <penstock/base/spin_lock.hpp>

namespace penstock {
namespace detail {
// A plain variable with the interface of std::atomic.
template <class T>
class local_atomic {
 public:
  constexpr local_atomic() noexcept = default;
  constexpr local_atomic(T value) noexcept : value_(value) {}
  local_atomic(const local_atomic&) = delete;
  local_atomic& operator=(const local_atomic&) = delete;

  T load(memory_order = memory_order_seq_cst) const noexcept { return value_; }
  void store(T value, memory_order = memory_order_seq_cst) noexcept { value_ = value; }
  T exchange(T value, memory_order = memory_order_seq_cst) noexcept {
    const T before = value_;
    value_ = value;
    return before;
  }
  T fetch_add(T n, memory_order = memory_order_seq_cst) noexcept {
    return exchange(static_cast<T>(value_ + n));
  }
  T fetch_sub(T n, memory_order = memory_order_seq_cst) noexcept {
    return exchange(static_cast<T>(value_ - n));
  }
  bool compare_exchange_strong(T& expected, T wanted, memory_order = memory_order_seq_cst,
                               memory_order = memory_order_seq_cst) noexcept {
    if (value_ != expected) {
      expected = value_;
      return false;
    }
    value_ = wanted;
    return true;
  }
  bool compare_exchange_weak(T& expected, T wanted, memory_order = memory_order_seq_cst,
                             memory_order = memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, wanted);
  }

 private:
  T value_{};
};
}  // namespace detail

/// The policy of primitives that only tasks of one loop use: `local::semaphore` and so on.
struct one_loop {
  static constexpr bool concurrent = false;
  using lock = detail::no_lock;
  template <class T>
  using atomic = detail::local_atomic<T>;
};

}  // namespace penstock
