// penstock/resilience/detail/shared_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A limiter core that several threads use: under a lock, but for the GCRA, which has a way without
/// one (shared_gcra.hpp).

#include <penstock/base/intrusive_list.hpp>
#include <penstock/base/limiter_core.hpp>
#include <penstock/base/spin_lock.hpp>
#include <penstock/resilience/rate_reservation.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <mutex>
#include <type_traits>
#include <utility>

namespace penstock::detail {

// What a core answers without the lock.
enum class quick_answer : unsigned char { admitted, refused, unknown };

// All members but try_now() and the constructor are called under the lock of `lock_type`.
template <limiter_core Core>
class shared_core {
 public:
  static constexpr bool is_noexcept =
      noexcept(std::declval<Core&>().acquire(time_point(), std::uint32_t()));
  // A core that may allocate is not used under a spin lock.
  using lock_type = std::conditional_t<is_noexcept, spin_lock, std::mutex>;

  explicit shared_core(Core core) : core_(std::move(core)) {}

  quick_answer try_now(time_point, std::uint32_t) const noexcept { return quick_answer::unknown; }
  // From now on try_now() knows nothing; or may again.
  void freeze() noexcept {}
  void thaw(time_point) noexcept {}

  limiter_decision acquire(time_point now, std::uint32_t cost) noexcept(is_noexcept) {
    return core_.acquire(now, cost);
  }
  void refund(time_point at, std::uint32_t cost) { core_.refund(at, cost); }
  [[nodiscard]] std::uint32_t available(time_point now) const { return core_.available(now); }
  [[nodiscard]] time_point ready_at(time_point now, std::uint64_t cost) const {
    return core_.ready_at(now, cost);
  }
  // Of a window the permits after the next count have no exact time.
  static constexpr bool far_ahead = false;
  // When `cost` permits can be taken, if not more than the count are reserved or wait.
  [[nodiscard]] time_point ready_behind(const intrusive_list<reserved_node>& reserved,
                                        time_point now, std::uint64_t cost) const {
    for (const reserved_node& r : reserved) cost += r.cost;
    const time_point at = core_.ready_at(now, cost);
    return reserved.empty() ? at : (std::max)(at, reserved.back()->at);
  }
  // What was reserved for then, which is there.
  void charge(time_point at, std::uint32_t cost) { core_.acquire(at, cost); }

  [[nodiscard]] time_point fresh_at() const { return core_.fresh_at(); }
  [[nodiscard]] std::uint32_t limit() const { return core_.limit(); }

 private:
  Core core_;
};

}  // namespace penstock::detail
