// penstock/stream/detail/guarded.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A stream whose failure or end is not the pipeline's: it runs in a flow of its own, inside of the
/// pipeline's. What it has begun is stopped and waited for before the stage around it hears of its
/// failure or end: then it may be destroyed.

#include <penstock/core/shield.hpp>
#include <penstock/stream/detail/flow.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace penstock::detail {

enum class guarded_pull : unsigned char { item, end, wait, failed };

// Stage::news() is called when a pull may go on.
template <class Stage, class Up>
class guarded final : flow, pump {
 public:
  using value_type = typename Up::value_type;

  explicit guarded(Up&& up) : up_(std::move(up)) {}
  guarded(guarded&& o) : flow(), pump(), up_(std::move(o.up_)) {}  // before it is opened
  ~guarded() = default;

  void open(Stage& s, flow& outer) {
    stage_ = &s;
    outer_ = &outer;
    environment_ = outer.env();
    environment_.stop = &link_.emplace("stream").own;
    link_->open(place_in(outer));
    flow::open_inside(outer, environment_);
    pump::attach(*this);
    up_.open(*this);
  }
  guarded_pull pull(std::optional<value_type>& out) {
    if (flow::is_cut()) return over();
    const pulled s = up_.pull(*this, out);
    if (s == pulled::wait) return guarded_pull::wait;
    if (s == pulled::item && !flow::is_cut()) {
      if constexpr (requires { up_.at_end(); }) {  // it was the last one
        if (up_.at_end()) end();
      }
      return guarded_pull::item;
    }
    out.reset();
    if (s == pulled::end) end();
    return over();
  }
  // A pull says `failed`.
  [[nodiscard]] bool has_failed() const noexcept { return failed() && is_settled(); }
  // After `failed`: its error; an exception, and a stop, are the pipeline's: then there is none.
  std::optional<error> take_error() {
    if (has_error_) return std::move(error_);
    rethrow();
    return std::nullopt;
  }
  // The stream goes on: one that is not eager.
  void resume() {
    reopen();
    open(*stage_, *outer_);
  }

 private:
  void end() noexcept {
    ended_ = true;
    flow::over();
  }
  guarded_pull over() const noexcept {
    if (!is_settled()) return guarded_pull::wait;
    return ended_ && !failed() ? guarded_pull::end : guarded_pull::failed;
  }
  step wake() noexcept override { return stage_->news(); }
  void stop_rest(stop_reason why) noexcept override { link_->own.request_stop(why); }
  step finish() noexcept override { return stage_->news(); }

  environment environment_;
  std::optional<stop_link> link_;
  Up up_;
  Stage* stage_ = nullptr;
  flow* outer_ = nullptr;
  bool ended_ = false;
};

}  // namespace penstock::detail
