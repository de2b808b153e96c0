// penstock/resilience/circuit_breakers.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A circuit breaker for each key: shard, host, tenant. One that fails closes the door to itself
/// only.

#include <penstock/resilience/circuit_breaker.hpp>
#include <penstock/resilience/detail/keyed_table.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace penstock {

/// Options of `circuit_breakers`.
struct circuit_breakers_options {
  std::size_t max_keys = 10'000;  ///< breakers at once; for a new one the least recently used goes
  duration idle_ttl = std::chrono::minutes(10);  ///< one that nobody asked for so long goes
  circuit_breaker_options each = {};             ///< of every breaker
};
static_assert(std::is_trivially_copyable_v<circuit_breakers_options>);

/// Whether circuit breakers can be so.
[[nodiscard]] inline result<> validate(const circuit_breakers_options& o) {
  if (o.max_keys == 0)
    return fail(errc::invalid_option, "circuit_breakers_options", "max_keys is 0");
  if (o.idle_ttl <= duration::zero())
    return fail(errc::invalid_option, "circuit_breakers_options", "idle_ttl is not positive");
  return validate(o.each);
}

/// Numbers of `circuit_breakers`.
struct circuit_breakers_stats {
  std::size_t keys = 0;            ///< breakers that there are
  std::size_t open = 0;            ///< of those, open or half open
  std::uint64_t made = 0;          ///< breakers made
  std::uint64_t idle = 0;          ///< gone because nobody asked for them
  std::uint64_t evicted = 0;       ///< gone to make room
  std::uint64_t evicted_open = 0;  ///< of those, open: what they knew is lost
};

/// A circuit breaker for each key, in bounded memory.
///
/// **Shape.** key -> `circuit_breaker`; at most `max_keys`, least recently used out first.
/// **Parameters.** `Key` - copied, hashed by `Hash`. Text and whole numbers are named in errors and
/// events.
/// **Ordering.** what is open, or was put into its state by its name, goes after all others, and
/// not for being idle.
/// **Thread-safety.** any thread, the same object too. Copies are the same breakers.
/// **Complexity.** `of`: O(1) amortised, under a mutex; a new key allocates.
/// **Lifetime.** a handle. A breaker that went lives on in the handles that were given; for its key
/// there is a new one.
/// **Example.** @snippet tests/resilience/circuit_breakers_test.cpp of
/// **See also.** `circuit_breaker`.
template <class Key, class Hash = std::hash<Key>>
class circuit_breakers {
 public:
  /// **Parameters.** as those of `circuit_breaker`: one name and one observer for all.
  /// **Errors.** invalid options stop the program, naming the option.
  explicit circuit_breakers(const circuit_breakers_options& o = {},
                            std::string_view name = "circuit_breaker",
                            observer<breaker_event> on_event = {})
      : shared_(std::make_shared<shared>(detail::checked_options(o), name, std::move(on_event))) {}

  /// The breaker of `key`, as a policy; inside of a task.
  [[nodiscard]] circuit_breaker of(const Key& key) const {
    PENSTOCK_ASSERT(scheduler::current(), "there is no loop here: use of(key, now)");
    return of(key, scheduler::current()->about().earliest);
  }
  /// The same anywhere, at that time of the loop.
  [[nodiscard]] circuit_breaker of(const Key& key, time_point now) const {
    typename table::graveyard gone;  // is emptied without the mutex
    const std::lock_guard lock(shared_->mutex);
    return shared_->breakers.at(
        key, now, [&] { return shared_->make(key); },
        [&](const circuit_breaker& b) { return b.object_->core().worth_keeping(now); }, gone);
  }

  /// **Complexity.** O(keys), under the mutex.
  [[nodiscard]] circuit_breakers_stats stats() const {
    const std::lock_guard lock(shared_->mutex);
    const auto n = shared_->breakers.numbers();
    circuit_breakers_stats s{n.keys, 0, n.made, n.idle, n.evicted, n.evicted_kept};
    shared_->breakers.for_each([&](const Key&, const circuit_breaker& b) {
      s.open += b.state() == breaker_state::open || b.state() == breaker_state::half_open;
    });
    return s;
  }
  /// Calls `fn(key, breaker)` for each breaker that there is, in no order.
  ///
  /// **Complexity.** O(keys), under the mutex: `fn` must not call this object.
  template <std::invocable<const Key&, const circuit_breaker&> Fn>
  void for_each(Fn fn) const {
    const std::lock_guard lock(shared_->mutex);
    shared_->breakers.for_each(fn);
  }

 private:
  using table = detail::keyed_table<Key, circuit_breaker, Hash>;

  struct shared {
    shared(const circuit_breakers_options& o, std::string_view n, observer<breaker_event> on_event)
        : options(o.each), name(n), breakers(o.max_keys, o.idle_ttl) {
      if (on_event) told = std::make_shared<const observer<breaker_event>>(std::move(on_event));
    }
    circuit_breaker make(const Key& key) const {
      observer<breaker_event> tell;
      if (told) tell = [all = told](const breaker_event& e) { (*all)(e); };
      return circuit_breaker(options, name, text_of(key), std::move(tell));
    }
    static std::string text_of(const Key& key) {
      if constexpr (std::is_convertible_v<const Key&, std::string_view>)
        return std::string(std::string_view(key));
      else if constexpr (std::is_integral_v<Key>)
        return std::to_string(key);
      else
        return {};
    }

    const circuit_breaker_options options;
    const std::string name;
    std::shared_ptr<const observer<breaker_event>> told;  // shared: a breaker may outlive this
    std::mutex mutex;
    table breakers;  // guarded by mutex
  };

  std::shared_ptr<shared> shared_;
};

}  // namespace penstock
