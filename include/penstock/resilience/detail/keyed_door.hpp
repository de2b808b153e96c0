// penstock/resilience/detail/keyed_door.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// One key of a keyed rate limiter, as one request sees it.

#include <penstock/base/scope_exit.hpp>
#include <penstock/resilience/detail/key_text.hpp>
#include <penstock/resilience/detail/keyed_limiter_object.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace penstock::detail {

// `key` outlives it. A request of a key without a cell may be one of the shared limiter.
template <class Key, limiter_core Core, class Hash>
class keyed_door final : public limiter_door {
  using object = keyed_limiter_object<Key, Core, Hash>;
  using kind = limiter_verdict::kind;

 public:
  keyed_door(object& o, const Key& key) noexcept
      : object_(&o), key_(&key), hash_(object::hash_of(key)) {}
  // Before a request, and after it.
  keyed_door(const keyed_door& other) noexcept
      : limiter_door(), object_(other.object_), key_(other.key_), hash_(other.hash_) {}
  keyed_door& operator=(const keyed_door& other) noexcept {
    object_ = other.object_;
    key_ = other.key_;
    hash_ = other.hash_;
    return *this;
  }

  // For limiter_awaiter.
  [[nodiscard]] limiter_door& door() noexcept { return *this; }
  bool try_take(time_point now, std::uint32_t cost) {
    return take(now, cost, no_place).what == kind::admitted;
  }
  void penalize(time_point now, time_point until) noexcept {
    until = (std::min)(until, add_saturated(now, object_->options().max_penalty));
    bool waits = false, shut = false;
    object_->if_cell(*key_, hash_, [&](auto& c) {
      shut = until > now && until > c.body().gate;
      if (shut) c.body().gate = until;
      waits = c.waiting != 0;
    });
    if (!shut) return;
    object::count(object_->penalized_);
    if (waits) object_->nudge(*key_);
    tell(rate_limiter_event::kind::penalized, 0, until - now);
  }

  limiter_verdict take(time_point now, std::uint32_t cost, place p) override {
    if (p != no_place && shared_) return shared_->take(now, cost, p);
    limiter_verdict v{kind::later};
    const bool here = object_->with_cell(*key_, hash_, now, v.at, [&](auto& c) {
      v = look(c, now, cost, p == no_place ? c.waiting : 0);
      if (v.what != kind::admitted) return;
      const auto d = c.body().core.acquire(now, cost);
      v = {d.admitted ? kind::admitted : kind::later, d.at};
    });
    shared_ = here ? nullptr : object_->shared();
    return shared_ ? shared_->take(now, cost, p) : v;
  }
  void refund(time_point at, std::uint32_t cost) override {
    if (shared_) return shared_->refund(at, cost);
    bool waits = false;
    object_->if_cell(*key_, hash_, [&](auto& c) {
      c.body().core.refund(at, cost);
      waits = c.waiting != 0;
    });
    if (waits) object_->nudge(*key_);
  }
  limiter_verdict join(time_point now, std::uint32_t cost, time_point deadline, place& p) override {
    line_ = object_->enter_line(*key_);
    limiter_verdict v{kind::crowded};
    bool joined = false;
    scope_exit leaves([&] {
      if (!joined) object_->leave_line(*key_, *std::exchange(line_, nullptr));
    });
    shared_ = nullptr;
    const bool here = object_->with_cell(*key_, hash_, now, v.at, [&](auto& c) {
      v = look(c, now, cost, c.waiting);
      if (v.what == kind::never || v.what == kind::closed || v.at > deadline) return;
      if (c.waiting >= object_->options().max_waiting) {
        v.what = kind::crowded;
        return;
      }
      ++c.waiting;
      line_->queued += cost;
      joined = true;
    });
    if (!here && object_->shared()) {
      shared_ = object_->shared();
      return shared_->join(now, cost, deadline, p);
    }
    if (!joined) return v;
    p = no_place + 1;
    object::count(object_->waited_);
    tell(rate_limiter_event::kind::waits, cost, v.at > now ? v.at - now : duration::zero());
    return {kind::admitted, v.at};
  }
  void leave(time_point now, std::uint32_t cost, bool served) noexcept override {
    if (shared_) return shared_->leave(now, cost, served);
    object_->if_cell(*key_, hash_, [&](auto& c) {
      --c.waiting;
      line_->queued -= cost;
    });
    if (!served) object::count(object_->given_up_);
    object_->leave_line(*key_, *line_);
    line_ = nullptr;
  }
  limiter_line& line() noexcept override { return shared_ ? shared_->line() : *line_; }

  rate_decision decide(time_point now, std::uint32_t cost) {
    rate_decision d;
    limiter_verdict v{kind::later};
    const bool here = object_->with_cell(*key_, hash_, now, v.at, [&](auto& c) {
      auto& core = c.body().core;
      v = look(c, now, cost, c.waiting);
      if (v.what == kind::admitted) d.admitted = core.acquire(now, cost).admitted;
      d.limit = core.limit();
      if (c.waiting == 0 && now >= c.body().gate) d.remaining = core.available(now);
      const time_point fresh = (std::max)(core.fresh_at(), c.body().gate);
      if (fresh > now) d.reset = fresh - now;
    });
    if (!here && object_->shared()) return object_->shared()->decide(now, cost);
    if (d.admitted) return d;
    object::count(object_->refused_);
    d.retry_after = is_never(v.at) ? (duration::max)() : (std::max)(v.at - now, duration::zero());
    return d;
  }
  void count_refused() noexcept { object::count(object_->refused_); }

  PENSTOCK_NOINLINE error refusal(const limiter_verdict& v, std::uint32_t cost,
                                  time_point now) noexcept override {
    count_refused();
    const key_text text(*key_);
    const auto name = object_->name();
    if (v.what == kind::closed) return error(errc::closed).with(name, text.view());
    if (v.what == kind::never) return error(errc::never_satisfiable).with(name, text.view());
    const duration wait = is_never(v.at) ? (duration::max)() : v.at - now;
    tell(rate_limiter_event::kind::refused, cost, wait);
    error e = error(errc::rate_limited).with(name, text.view()).attach(refused_here{});
    return is_never(v.at) ? e : std::move(e).retry_after((std::max)(wait, duration::zero()));
  }

 private:
  void tell(rate_limiter_event::kind what, std::uint32_t cost, duration wait) const noexcept {
    const key_text text(*key_);
    object_->tell({object_->name(), text.view(), what, cost, wait});
  }
  // Under the lock of the cell: whether one with `before` others in front may go now, or when.
  template <class Cell>
  limiter_verdict look(Cell& c, time_point now, std::uint32_t cost,
                       std::uint32_t before) const noexcept {
    if (object_->closed()) return {kind::closed};
    auto& body = c.body();
    if (cost > body.core.limit()) return {kind::never};
    const std::uint64_t queued = before && line_ ? line_->queued : before;
    const time_point from = (std::max)(now, body.gate);
    const time_point at = body.core.ready_at(from, queued + cost);
    if (at > now || before != 0) return {kind::later, at};
    return {kind::admitted, now};
  }

  object* object_;
  const Key* key_;
  std::uint64_t hash_;
  limiter_object<Core>* shared_ = nullptr;  // where its request is, if not in a cell
  std::shared_ptr<typename object::key_line> line_;
};

}  // namespace penstock::detail
