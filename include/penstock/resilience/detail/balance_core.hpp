// penstock/resilience/detail/balance_core.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Which of several endpoints gets the next call, and which gets none for a while. Without a clock,
/// and without the endpoints themselves.

#include <penstock/base/lesser.hpp>
#include <penstock/base/random.hpp>
#include <penstock/resilience/balancer_options.hpp>
#include <penstock/resilience/call_outcome.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace penstock::detail {

struct balance_node {
  endpoint_stats seen;
  std::size_t failed_in_a_row = 0;
  time_point ejected_until = (time_point::min)();
  time_point fresh_since{};  // added, or returned
  double cost = 0;           // nanoseconds: a mean that follows peaks at once
  time_point cost_at{};
};

// One thread at a time.
class balance_core {
 public:
  explicit balance_core(const balancer_options& o) noexcept : options_(o) {}

  void add(balance_node& n, time_point now) {
    n.fresh_since = n.cost_at = now;
    n.cost = static_cast<double>(options_.first_guess.count());
    able_.reserve(nodes_.size() + 1);
    nodes_.push_back(&n);
  }
  void remove(const balance_node& n) noexcept { std::erase(nodes_, &n); }
  [[nodiscard]] const std::vector<balance_node*>& nodes() const noexcept { return nodes_; }

  // The next endpoint, if there is one: not `avoided`, if there is another.
  balance_node* pick(time_point now, random_engine& random, const balance_node* avoided) {
    balance_node* const n = choose(now, random, avoided);
    if (!n) return nullptr;
    ++n->seen.running;
    ++n->seen.calls;
    return n;
  }
  // A call of it has ended. How long it is left out now: zero, it is not.
  duration ended(balance_node& n, call_outcome how, time_point began, time_point now) noexcept {
    --n.seen.running;
    if (how == call_outcome::canceled || how == call_outcome::ignored) return {};
    // One that fails fast must not look fast.
    if (how != call_outcome::failure || static_cast<double>((now - began).count()) > n.cost)
      observe(n, now - began, now);
    if (how != call_outcome::failure) {
      n.failed_in_a_row = 0;
      return {};
    }
    ++n.seen.failures;
    if (++n.failed_in_a_row < options_.failures || options_.failures == 0) return {};
    return eject(n, now);
  }
  [[nodiscard]] static bool is_ejected(const balance_node& n, time_point now) noexcept {
    return n.ejected_until > now;
  }

 private:
  balance_node* choose(time_point now, random_engine& random, const balance_node* avoided) {
    able_.clear();
    for (balance_node* const n : nodes_)
      if (!is_ejected(*n, now) && n != avoided) able_.push_back(n);
    if (able_.empty()) able_ = nodes_;  // all are bad: as well this one as that
    if (able_.empty()) return nullptr;
    switch (options_.how) {
      case balance::round_robin:
        return in_turn(now, random);
      case balance::least_connections:
        return least_loaded(now, random);
      case balance::peak_ewma:
        break;
    }
    return of_two(now, random);
  }
  balance_node* in_turn(time_point now, random_engine& random) {
    for (std::size_t tries = 0; tries < able_.size(); ++tries) {
      balance_node* const n = able_[turn_++ % able_.size()];
      if (random.uniform_real() < share(*n, now)) return n;
    }
    return able_[turn_++ % able_.size()];
  }
  balance_node* least_loaded(time_point now, random_engine& random) {
    balance_node* best = nullptr;
    std::uint64_t ties = 0;
    for (balance_node* const n : able_) {
      const double mine = connections(*n, now);
      const double others = best ? connections(*best, now) : 0;
      if (!best || mine < others) {
        best = n;
        ties = 1;
      } else if (mine == others && random() % ++ties == 0) {
        best = n;
      }
    }
    return best;
  }
  balance_node* of_two(time_point now, random_engine& random) {
    const std::size_t n = able_.size();
    if (n == 1) return able_[0];
    const std::size_t a = random() % n;
    const std::size_t b = (a + 1 + random() % (n - 1)) % n;  // another one
    return load(*able_[b], now) < load(*able_[a], now) ? able_[b] : able_[a];
  }

  // How much of its share it gets: 0.1 to 1.
  [[nodiscard]] double share(const balance_node& n, time_point now) const noexcept {
    if (options_.slow_start == duration::zero()) return 1;
    const double part = static_cast<double>((now - n.fresh_since).count()) /
                        static_cast<double>(options_.slow_start.count());
    return lesser(larger(part, 0.1), 1.0);
  }
  [[nodiscard]] double connections(const balance_node& n, time_point now) const noexcept {
    return static_cast<double>(n.seen.running + 1) / share(n, now);
  }
  [[nodiscard]] double load(const balance_node& n, time_point now) const noexcept {
    return n.cost * kept(n, now) * connections(n, now);
  }
  // What is left of an old time.
  [[nodiscard]] double kept(const balance_node& n, time_point now) const noexcept {
    return std::exp(-static_cast<double>(larger(now - n.cost_at, duration::zero()).count()) /
                    static_cast<double>(options_.decay.count()));
  }
  void observe(balance_node& n, duration took, time_point now) noexcept {
    const double sample = static_cast<double>(larger(took, duration(1)).count());
    const double weight = kept(n, now);
    const double old = n.seen.expected == duration::zero() ? sample : n.cost;  // a guess till then
    n.cost = sample > old ? sample : old * weight + sample * (1 - weight);
    n.cost_at = now;
    n.seen.expected = duration(static_cast<std::int64_t>(n.cost));
  }
  duration eject(balance_node& n, time_point now) noexcept {
    const auto part =
        static_cast<std::size_t>(options_.max_ejected * static_cast<double>(nodes_.size()));
    const auto out = static_cast<std::size_t>(std::count_if(
        nodes_.begin(), nodes_.end(), [&](const balance_node* o) { return is_ejected(*o, now); }));
    if (is_ejected(n, now) || out >= larger<std::size_t>(part, 1)) return {};
    // After a long good time it is as new.
    if (n.seen.ejections != 0 && now - n.ejected_until > options_.max_ejection)
      n.seen.ejections = 0;
    ++n.seen.ejections;
    n.failed_in_a_row = 0;
    const auto times = static_cast<std::int64_t>(n.seen.ejections);
    const duration most = options_.max_ejection;
    const duration d = options_.ejection > most / times ? most : options_.ejection * times;
    n.ejected_until = n.fresh_since = add_saturated(now, d);
    return d;
  }

  balancer_options options_;
  std::vector<balance_node*> nodes_;
  std::vector<balance_node*> able_;  // of one choice
  std::size_t turn_ = 0;
};

}  // namespace penstock::detail
