// tests/model/atomic.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The atomics of the model tests: plain memory that tells an observer of each access, before it is
/// made. The first include of every unit of that program: any other order does not compile, and no
/// unit that sees the standard's atomics in their place may be linked with them.

#ifndef PENSTOCK_ATOMIC_HEADER
#define PENSTOCK_ATOMIC_HEADER <model/atomic.hpp>
#endif

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace model {

using cell_id = std::uint32_t;
inline constexpr cell_id unwatched = 0;             // made while nobody observed
inline constexpr cell_id gone = 0xffff'ffff;        // destroyed
inline constexpr cell_id most_cells = 0x0010'0000;  // of one thread

// Sees what the logical threads of a schedule do.
class observer {
 public:
  // Names a new atomic.
  virtual cell_id created() noexcept = 0;
  // The present thread is about to access an atomic; returns when it is its turn.
  virtual void before(cell_id cell, const char* what) noexcept = 0;
  // It has, with nothing in between. `value`: what is there now.
  virtual void after(cell_id cell, std::uint64_t value, bool wrote) noexcept = 0;
  // It can do no more before another has written what it has accessed last.
  virtual void spins() noexcept = 0;
  // Something is wrong with this schedule. Does not return.
  [[noreturn]] virtual void fail(const char* what) noexcept = 0;

 protected:
  ~observer() = default;
};
inline constinit observer* watching = nullptr;

// A check of a scenario, in its threads too.
inline void expect(bool right, const char* what) noexcept {
  if (!right) watching->fail(what);
}

}  // namespace model

namespace penstock::detail {

using std::memory_order;
using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

inline void wait_for_write() noexcept {
  if (model::watching) model::watching->spins();
}

// Sequentially consistent, whatever orders are asked for; a weak exchange never fails for nothing.
template <class T>
class atomic {
 public:
  using value_type = T;
  using difference = std::conditional_t<std::is_pointer_v<T>, std::ptrdiff_t, T>;
  static constexpr bool is_always_lock_free = true;

  constexpr atomic() noexcept : atomic(T{}) {}
  constexpr atomic(T value) noexcept : value_(value) {
    if (!std::is_constant_evaluated() && model::watching) id_ = model::watching->created();
  }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;
  // Where the memory outlives the object, a later access is seen.
  constexpr ~atomic() {
    if (!std::is_constant_evaluated()) *const_cast<volatile model::cell_id*>(&id_) = model::gone;
  }

  T load(memory_order = memory_order_seq_cst) const noexcept {
    return access("load", false, [](T&) {});
  }
  void store(T value, memory_order = memory_order_seq_cst) noexcept {
    access("store", true, [&](T& now) { now = value; });
  }
  T exchange(T value, memory_order = memory_order_seq_cst) noexcept {
    return access("exchange", true, [&](T& now) { now = value; });
  }
  T fetch_add(difference n, memory_order = memory_order_seq_cst) noexcept {
    return access("fetch_add", true, [&](T& now) { now = static_cast<T>(now + n); });
  }
  T fetch_sub(difference n, memory_order = memory_order_seq_cst) noexcept {
    return access("fetch_sub", true, [&](T& now) { now = static_cast<T>(now - n); });
  }
  T fetch_or(T bits, memory_order = memory_order_seq_cst) noexcept {
    return access("fetch_or", true, [&](T& now) { now = static_cast<T>(now | bits); });
  }
  T fetch_and(T bits, memory_order = memory_order_seq_cst) noexcept {
    return access("fetch_and", true, [&](T& now) { now = static_cast<T>(now & bits); });
  }
  bool compare_exchange_strong(T& expected, T desired, memory_order = memory_order_seq_cst,
                               memory_order = memory_order_seq_cst) noexcept {
    watch_before("compare_exchange");
    const bool equal = value_ == expected;
    if (equal)
      value_ = desired;
    else
      expected = value_;
    watch_after(equal);
    return equal;
  }
  bool compare_exchange_weak(T& expected, T desired, memory_order a = memory_order_seq_cst,
                             memory_order b = memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, desired, a, b);
  }
  operator T() const noexcept { return load(); }
  T operator=(T value) noexcept {
    store(value);
    return value;
  }

 private:
  template <class Change>
  T access(const char* what, bool writes, Change change) const noexcept {
    watch_before(what);
    const T old = value_;
    change(value_);
    watch_after(writes);
    return old;
  }
  void watch_before(const char* what) const noexcept {
    if (!model::watching) return;
    watch_alive();
    model::watching->before(id_, what);
    watch_alive();
  }
  void watch_alive() const noexcept {
    model::expect(*const_cast<volatile const model::cell_id*>(&id_) != model::gone,
                  "an atomic is used that has been destroyed");
  }
  void watch_after(bool wrote) const noexcept {
    if (!model::watching) return;
    std::uint64_t shown = 0;
    std::memcpy(&shown, &value_, sizeof(T) < sizeof shown ? sizeof(T) : sizeof shown);
    model::watching->after(id_, shown, wrote);
  }

  mutable T value_;
  model::cell_id id_ = model::unwatched;
};

}  // namespace penstock::detail
