// penstock/stream/detail/eager.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What eager stages are made of: branches, each a pump that pulls one stream by itself, and the
/// stage that its consumer takes from. A stage has
///
///     bool wants(branch&);                 whether the branch may pull now
///     void put(branch&, T&& item);         it has
///     void fill();                         fill() of each branch
///     bool take(std::optional<V>& out);    the next item for the consumer
///     bool finished();                     and there will be no more

#include <penstock/base/taken.hpp>
#include <penstock/stream/detail/flow.hpp>
#include <penstock/stream/stream.hpp>

#include <optional>
#include <utility>

namespace penstock::detail {

// `Tag` tells the branches of a stage apart.
template <class Stage, class Up, class Tag = void>
class branch final : pump {
 public:
  using value_type = typename Up::value_type;

  explicit branch(Up&& up) : up_(std::move(up)) {}
  branch(branch&& o) : pump(), up_(std::move(o.up_)) {}  // before it is opened

  void open(Stage& s, flow& f) {
    stage_ = &s;
    attach(f);
    up_.open(f);
  }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  void fill() {
    while (!ended_ && !waits_ && !of().is_cut() && stage_->wants(*this)) {
      std::optional<value_type> item;
      switch (up_.pull(*this, item)) {
        case pulled::item:
          stage_->put(*this, *std::move(item));
          if (spend()) break;
          give_way();
          waits_ = true;
          break;
        case pulled::end:
          ended_ = true;
          break;
        case pulled::wait:
          waits_ = true;
          break;
        case pulled::cut:
          return;
      }
    }
  }

 private:
  step wake() noexcept override {
    waits_ = false;
    return stage_->news();
  }

  Up up_;
  Stage* stage_ = nullptr;
  bool ended_ = false;
  bool waits_ = false;
};

// The consumer's side.
template <class Derived, class T>
class eager_stream : public stream_interface<Derived> {
 public:
  using value_type = T;
  static constexpr bool is_eager = true;

  pulled pull(pump& p, std::optional<T>& out) {
    flow& f = p.of();
    if (f.is_cut()) return pulled::cut;
    self().fill();
    if (f.is_cut()) return pulled::cut;
    if (self().take(out)) {
      self().fill();
      return pulled::item;
    }
    if (f.is_cut()) return pulled::cut;
    if (self().finished()) return pulled::end;
    consumer_ = &p;
    return pulled::wait;
  }
  // Something has changed: a branch has an item or its end, it is time, a call is over.
  step news() noexcept {
    flow& f = *flow_;
    if (f.is_cut()) return f.settle();
    try {
      self().fill();
    } catch (...) {
      f.fail(std::current_exception());
    }
    if (f.is_cut()) return f.settle();
    return consumer_ ? detail::taken(consumer_)->wake() : step{};
  }

 protected:
  eager_stream() = default;
  ~eager_stream() = default;
  eager_stream(eager_stream&&) noexcept : stream_interface<Derived>() {}  // before it is opened
  void open_stage(flow& f) noexcept { flow_ = &f; }
  [[nodiscard]] flow& of() const noexcept { return *flow_; }

 private:
  Derived& self() noexcept { return static_cast<Derived&>(*this); }

  flow* flow_ = nullptr;
  pump* consumer_ = nullptr;
};

}  // namespace penstock::detail
