// penstock/resilience/acquire_all.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Permits of several rate limiters or of none: tenant and user and everybody.

#include <penstock/resilience/detail/limiter_door.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>

namespace penstock {

/// A limiter that can be combined with others: `rate_limiter`, `keyed_rate_limiter::of(key)`.
template <class L>
concept combinable_limiter = std::copy_constructible<L> && requires(const L& l) {
  { l.asked().door() } -> std::same_as<detail::limiter_door&>;
};

namespace detail {
// The doors of one request. A permit that is not kept goes back.
class charged_doors {
 public:
  static constexpr std::size_t most = 8;

  charged_doors(std::span<limiter_door* const> doors, std::uint32_t cost) noexcept
      : doors_(doors), cost_(cost) {}
  charged_doors(const charged_doors&) = delete;
  charged_doors& operator=(const charged_doors&) = delete;
  ~charged_doors() { give_back(); }

  // Of all of them; or of none, and refused() has refused. The caller is the first at door `held`,
  // with the place `p`; he passes the lines of the others, or two who wait for one another's door
  // would change places for ever.
  limiter_verdict take(time_point now, std::size_t held, limiter_door::place p) {
    const auto elsewhere =
        held < doors_.size() ? limiter_door::passes_waiting : limiter_door::no_place;
    for (std::size_t i = 0; i < doors_.size(); ++i) {
      const auto v = doors_[i]->take(now, cost_, i == held ? p : elsewhere);
      if (v.what != limiter_verdict::kind::admitted) {
        give_back();
        refused_ = i;
        return v;
      }
      at_[charged_++] = v.at;
    }
    charged_ = 0;
    return {limiter_verdict::kind::admitted, now};
  }
  [[nodiscard]] std::size_t refused() const noexcept { return refused_; }

 private:
  void give_back() {
    while (charged_ != 0) {
      --charged_;
      doors_[charged_]->refund(at_[charged_], cost_);
    }
  }
  std::span<limiter_door* const> doors_;
  std::uint32_t cost_;
  std::size_t charged_ = 0;
  std::size_t refused_ = 0;
  std::array<time_point, most> at_;
};

// In the line of the one that refuses, and in no other: so nobody waits for who waits for another.
inline task<result<>> wait_for_all(std::span<limiter_door* const> doors, std::uint32_t cost) {
  using kind = limiter_verdict::kind;
  const environment& env = co_await this_task::env();
  charged_doors all(doors, cost);
  auto v = all.take(env.sched->now(), doors.size(), limiter_door::no_place);
  while (v.what != kind::admitted) {
    const std::size_t held = all.refused();
    limiter_door& door = *doors[held];
    place_in_line place(door, cost, env);
    const auto joined = place.join();
    if (joined.what != kind::admitted)
      co_return tl::unexpected<error>(door.refusal(joined, cost, env.sched->now()));
    auto turn = co_await door.line().turn.acquire();
    if (!turn)
      co_return tl::unexpected<error>(door.refusal({kind::closed}, cost, env.sched->now()));
    place.came(std::move(*turn));
    for (;;) {
      const time_point now = env.sched->now();
      v = all.take(now, held, place.number());
      if (v.what == kind::admitted || all.refused() != held) {
        place.end(true);
        break;
      }
      if (v.what != kind::later || v.at > env.deadline)
        co_return tl::unexpected<error>(door.refusal(v, cost, now));
      co_await when_any(sleep_until(v.at), door.line().changed.wait());
    }
  }
  co_return result<>();
}

template <class... Limiters>
task<result<>> acquire_all_of(std::uint32_t cost, Limiters... limiters) {
  auto refs = std::make_tuple(limiters.asked()...);
  const auto doors = std::apply(
      [](auto&... ref) { return std::array<limiter_door*, sizeof...(ref)>{&ref.door()...}; }, refs);
  co_return co_await wait_for_all(doors, cost);
}
template <class... Limiters>
bool try_acquire_all_of(time_point now, std::uint32_t cost, const Limiters&... limiters) {
  auto refs = std::make_tuple(limiters.asked()...);
  const auto doors = std::apply(
      [](auto&... ref) { return std::array<limiter_door*, sizeof...(ref)>{&ref.door()...}; }, refs);
  charged_doors all(doors, cost);
  return all.take(now, doors.size(), limiter_door::no_place).what ==
         limiter_verdict::kind::admitted;
}
}  // namespace detail

/// Waits for `cost` permits of each of the limiters: of all at once, or of none.
///
/// **Shape.** take of the first, the second, ...; one refuses -> those before it get theirs back ->
/// wait in that one's line -> again.
/// **Parameters.** `cost` - 1 where it is left out. `limiters` - 1 to 8, copied; the one that
/// refuses most often first.
/// **Result.** `result<>`.
/// **Errors.** those of `acquire` of the one that refuses, which it names.
/// **Suspends.** while one of them has no permit, or somebody waits there.
/// **Cancellation.** nothing was taken.
/// **Ordering.** first come, first served in the line of each. Who waits in one line has no place
/// in another, so that no tenant's line holds up everybody's; when his turn has come he takes what
/// is there of the others, also while somebody waits there.
/// **Complexity.** O(limiters), and again for each one that refuses; a task's frame.
/// **Example.** @snippet tests/resilience/acquire_all_test.cpp acquire_all
template <combinable_limiter... Limiters>
requires(sizeof...(Limiters) > 0 && sizeof...(Limiters) <= detail::charged_doors::most)
    [[nodiscard]] task<result<>> acquire_all(const Limiters&... limiters) {
  return detail::acquire_all_of<Limiters...>(1, limiters...);
}
template <combinable_limiter... Limiters>
requires(sizeof...(Limiters) > 0 && sizeof...(Limiters) <= detail::charged_doors::most)
    [[nodiscard]] task<result<>> acquire_all(std::uint32_t cost, const Limiters&... limiters) {
  return detail::acquire_all_of<Limiters...>(cost, limiters...);
}
/// Takes the permits if all are there at `now`, a time of the loop.
///
/// **Thread-safety.** any thread. Others may be refused by what goes back at once.
template <combinable_limiter... Limiters>
requires(sizeof...(Limiters) > 0 && sizeof...(Limiters) <= detail::charged_doors::most)
    [[nodiscard]] bool try_acquire_all(time_point now, std::uint32_t cost,
                                       const Limiters&... limiters) {
  return detail::try_acquire_all_of(now, cost, limiters...);
}

}  // namespace penstock
