// penstock/stream/detail/wait_meter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Who waits for whom at a place of a stream: what observe() counts with.

#include <penstock/base/clock.hpp>
#include <penstock/base/scope_exit.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/stream/detail/flow.hpp>

#include <optional>

namespace penstock::detail {

// Who waits, from the first pull on. A wait that is stopped goes on up to the next pull.
template <class Stats>
class wait_meter {
 public:
  // A place that is no stage has only a source: what its consumer waits for is that.
  wait_meter(Stats& to, bool is_stage) noexcept : to_(&to), stage_waits_(!is_stage) {}

  [[nodiscard]] Stats& stats() const noexcept { return *to_; }
  template <class Up, class T>
  pulled pull_for_consumer(Up& up, pump& p, std::optional<T>& out) {
    return pull(consumer_waits_, up, p, out);
  }
  template <class Up, class T>
  pulled pull_for_stage(Up& up, pump& p, std::optional<T>& out) {
    return pull(stage_waits_, up, p, out);
  }

 private:
  template <class Up, class T>
  pulled pull(bool& waits, Up& up, pump& p, std::optional<T>& out) {
    change(waits, true);
    pulled s = pulled::cut;  // if it throws
    const scope_exit ended([&] {
      if (s != pulled::wait) change(waits, false);
    });
    s = up.pull(p, out);
    return s;
  }
  void change(bool& who, bool waits) noexcept {
    if (who == waits) return;
    const time_point now = scheduler::current()->now();
    if (since_) {
      const duration passed = now - *since_;
      to_->elapsed += passed;
      part() += passed;
    }
    since_ = now;
    who = waits;
  }
  duration& part() const noexcept {
    if (!consumer_waits_) return to_->blocked_out;
    return stage_waits_ ? to_->blocked_in : to_->busy;
  }

  Stats* to_;
  std::optional<time_point> since_;
  bool consumer_waits_ = false;
  bool stage_waits_;
};

}  // namespace penstock::detail
