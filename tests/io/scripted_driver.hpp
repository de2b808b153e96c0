// tests/io/scripted_driver.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A driver under a test runtime whose operations end when and how the test says. A cancelled one
/// ends as cancelled when nothing else is ready, unless the test completes it before.

#include <penstock/core/scheduler.hpp>
#include <penstock/runtime/driver.hpp>

#include <cerrno>
#include <deque>
#include <vector>

namespace scripted {

class driver final : public penstock::driver, penstock::detail::timer {
 public:
  driver() = default;

  /// The next submits are over at once, with these answers.
  std::deque<std::int32_t> at_once;
  /// What was submitted, as it was.
  std::vector<penstock::operation> seen;
  int cancels = 0;

  /// Makes the loop that runs use this.
  void install() { penstock::scheduler::current()->set_io_driver(this); }
  [[nodiscard]] std::size_t held() const { return held_.size(); }
  /// The oldest operation ends with `answer`. False: there is none.
  bool complete(std::int32_t answer) {
    if (held_.empty()) return false;
    finish(*held_.front(), answer);
    return true;
  }

  std::string_view name() const noexcept override { return "scripted"; }
  bool submit(penstock::operation& op) noexcept override {
    seen.push_back(op);
    if (!at_once.empty()) {
      op.answer = at_once.front();
      at_once.pop_front();
      return true;
    }
    held_.push_back(&op);
    ++in_flight_;
    return false;
  }
  void cancel(penstock::operation& op) noexcept override {
    ++cancels;
    canceled_.push_back(&op);
    if (armed) return;
    at = penstock::scheduler::current()->now();
    penstock::scheduler::current()->add_timer(*this);
  }
  void wait(penstock::duration) noexcept override { on_time(); }
  void wake() noexcept override {}
  void interrupt() noexcept override {}
  void leave() noexcept override {}

 private:
  void on_time() noexcept override {
    while (!canceled_.empty()) finish(*canceled_.front(), -ECANCELED);
  }
  void finish(penstock::operation& op, std::int32_t answer) {
    std::erase(held_, &op);
    std::erase(canceled_, &op);
    if (canceled_.empty() && armed) penstock::scheduler::current()->cancel_timer(*this);
    --in_flight_;
    op.answer = answer;
    op.complete(op);
  }
  std::deque<penstock::operation*> held_;
  std::vector<penstock::operation*> canceled_;
};

}  // namespace scripted
