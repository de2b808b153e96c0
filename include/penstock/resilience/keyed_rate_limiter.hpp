// penstock/resilience/keyed_rate_limiter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A rate limit for each key: user, tenant, address. In bounded memory, and nobody gets a permit by
/// being forgotten.

#include <penstock/resilience/detail/keyed_door.hpp>
#include <penstock/resilience/rate_limiter.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace penstock {

template <class Key, limiter_core Core, class Hash>
class keyed_limit;

/// A limit of its own for each key.
///
/// **Shape.** key -> core; at most `max_keys`; for a new key one goes that is as new.
/// **Parameters.** `Key` - copied, hashed by `Hash`, both without throwing. `Core` - what "90 per
/// minute" means.
/// **Errors.** as `rate_limiter`, naming the key too if it is text or a number; and
/// `errc::rate_limited` for a new key while all others are in use, with `when_full::reject`.
/// **Ordering.** for each key as `rate_limiter`.
/// **Thread-safety.** any thread, the same object too. Copies are the same limiter.
/// **Complexity.** without waiting: one look into an open-addressing table under a short lock, no
/// allocation; a new key looks at up to 32 others when it is full. A key that somebody waits for
/// has a line, which is allocated. 64 bytes for a number and a GCRA, twice because half is empty.
/// **Lifetime.** a handle; the last copy outlives waiting tasks.
/// **Example.** @snippet tests/resilience/keyed_rate_limiter_test.cpp tiers
/// **See also.** `rate_limiter`, `acquire_all`.
template <class Key, limiter_core Core = gcra_core, class Hash = std::hash<Key>>
class keyed_rate_limiter {
  using object = detail::keyed_limiter_object<Key, Core, Hash>;
  using door = detail::keyed_door<Key, Core, Hash>;

 public:
  /// **Parameters.** `standard` - the limit of each key; also of those that share one.
  explicit keyed_rate_limiter(Core standard, const keyed_rate_limiter_options& o = {},
                              std::string_view name = "keyed_rate_limiter",
                              observer<rate_limiter_event> on_event = {})
      : object_(std::make_shared<object>(std::move(standard), typename object::tier_function(),
                                         detail::checked_options(o), name, std::move(on_event))) {}
  /// **Parameters.** `tier` - `Core(const Key&)`: the limit of a new key; any thread, and it may
  /// call this object.
  template <class Tier>
  requires std::is_invocable_r_v<Core, Tier&, const Key&> keyed_rate_limiter(
      Core standard, Tier tier, const keyed_rate_limiter_options& o = {},
      std::string_view name = "keyed_rate_limiter", observer<rate_limiter_event> on_event = {})
      : object_(std::make_shared<object>(std::move(standard),
                                         typename object::tier_function(std::move(tier)),
                                         detail::checked_options(o), name, std::move(on_event))) {}

  /// Waits for `cost` permits of `key`.
  ///
  /// **Errors.** as above. **Cancellation.** as `rate_limiter::acquire`.
  /// **Lifetime.** `key` outlives the wait.
  [[nodiscard]] auto acquire(const Key& key, std::uint32_t cost = 1) const& noexcept {
    return detail::limiter_awaiter<door>(door(*object_, key), cost, true);
  }
  void acquire(const Key& key, std::uint32_t cost = 1) const&& = delete;
  /// Takes `cost` permits of `key` if they are there and nobody waits for them; inside of a task.
  [[nodiscard]] bool try_acquire(const Key& key, std::uint32_t cost = 1) const {
    return try_acquire(key, now_here(), cost);
  }
  /// The same anywhere, at that time of the loop.
  [[nodiscard]] bool try_acquire(const Key& key, time_point now, std::uint32_t cost = 1) const {
    door d(*object_, key);
    if (d.try_take(now, cost)) [[likely]]
      return true;
    d.count_refused();
    return false;
  }
  /// The same, and what to tell the one who asked.
  [[nodiscard]] rate_decision decide(const Key& key, std::uint32_t cost = 1) const {
    return decide(key, now_here(), cost);
  }
  [[nodiscard]] rate_decision decide(const Key& key, time_point now, std::uint32_t cost = 1) const {
    return door(*object_, key).decide(now, cost);
  }
  /// Lets nothing of `key` pass before `until`, at most `max_penalty` from `now`.
  void penalize(const Key& key, time_point now, time_point until) const noexcept {
    door(*object_, key).penalize(now, until);
  }
  /// The limit of `key`, as a policy, and for `acquire_all`.
  [[nodiscard]] keyed_limit<Key, Core, Hash> of(Key key) const;
  /// Ends all waits, and later ones at once, with `errc::closed`.
  void close() const { object_->close(); }

  [[nodiscard]] keyed_rate_limiter_stats stats() const noexcept { return object_->stats(); }
  [[nodiscard]] std::string_view name() const noexcept { return object_->name(); }

 private:
  friend class keyed_limit<Key, Core, Hash>;

  static time_point now_here() noexcept {
    PENSTOCK_ASSERT(scheduler::current(), "there is no loop here: tell the time");
    return scheduler::current()->now();
  }

  std::shared_ptr<object> object_;
};

/// The limit of one key, as a policy. Made by `keyed_rate_limiter::of`.
template <class Key, limiter_core Core, class Hash>
class keyed_limit : public policy_base<keyed_limit<Key, Core, Hash>> {
  using door = detail::keyed_door<Key, Core, Hash>;

 public:
  keyed_limit(keyed_rate_limiter<Key, Core, Hash> all, Key key)
      : all_(std::move(all)), key_(std::move(key)) {}

  /// For `policy_base`.
  template <policy_operation Fn>
  [[nodiscard]] auto run(Fn fn) const {
    return detail::admitted_call(*this, default_classifier{}, std::move(fn));
  }
  /// For `detail::admitted_call`.
  [[nodiscard]] auto admit(const environment&) const noexcept {
    return detail::limiter_admission<door>(
        asked(), all_.object_->options().when_limited == when_limited::wait);
  }
  /// For `acquire_all`.
  [[nodiscard]] door asked() const noexcept { return door(*all_.object_, key_); }
  [[nodiscard]] const Key& key() const noexcept { return key_; }

 private:
  keyed_rate_limiter<Key, Core, Hash> all_;
  Key key_;
};

template <class Key, limiter_core Core, class Hash>
keyed_limit<Key, Core, Hash> keyed_rate_limiter<Key, Core, Hash>::of(Key key) const {
  return keyed_limit<Key, Core, Hash>(*this, std::move(key));
}

}  // namespace penstock
