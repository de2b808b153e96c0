// tests/io/scripted_driver.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A driver under a test runtime whose operations end when and how the test says. A cancelled one
/// ends as cancelled when nothing else is ready, unless the test completes it before.

#include <penstock/core/scheduler.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/lease_store.hpp>

#include <cerrno>
#include <cstring>
#include <deque>
#include <string_view>
#include <vector>

namespace scripted {

class driver final : public penstock::driver, penstock::detail::timer {
 public:
  driver() = default;
  ~driver() override {
    if (leases_) leases_->abandon();
  }

  /// The next submits are over at once, with these answers.
  std::deque<std::int32_t> at_once;
  /// What was submitted, as it was.
  std::vector<penstock::operation> seen;
  int cancels = 0;

  /// Makes the loop that runs use this.
  void install() { penstock::scheduler::current()->set_io_driver(this); }
  [[nodiscard]] std::size_t held() const { return held_.size(); }
  /// The `i`-th oldest operation that is held.
  [[nodiscard]] penstock::operation& held_at(std::size_t i) { return *held_.at(i); }
  /// The oldest operation ends with `answer`. False: there is none.
  bool complete(std::int32_t answer) { return complete_at(0, answer); }
  bool complete_at(std::size_t i, std::int32_t answer) {
    if (i >= held_.size()) return false;
    finish(*held_[i], answer);
    return true;
  }
  /// The oldest operation, a receive_lease, gets `text`, and goes on or not. False: there is none.
  bool complete_lease(std::string_view text, bool more) {
    if (held_.empty()) return false;
    penstock::operation& op = *held_.front();
    penstock::lease_slot* const s = lease(text);
    op.other = s;
    op.address = s->bytes;
    if (!more) {
      finish(op, static_cast<std::int32_t>(text.size()));
      return true;
    }
    op.answer = static_cast<std::int32_t>(text.size());
    op.more = true;
    op.complete(op);
    return true;
  }
  /// Buffers that are with nobody.
  [[nodiscard]] unsigned free_leases() { return leases_ ? leases_->free() : most_leases; }
  static constexpr unsigned most_leases = 64;

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
    op.more = false;
    if (canceled_.empty() && armed) penstock::scheduler::current()->cancel_timer(*this);
    --in_flight_;
    op.answer = answer;
    op.complete(op);
  }
  penstock::lease_slot* lease(std::string_view text) {
    if (!leases_) {
      leases_ = penstock::lease_store::create(most_leases, 64, wake_);
      leases_->bind();
    }
    penstock::lease_slot* const s = leases_->take();
    std::memcpy(s->bytes, text.data(), text.size());
    s->length = static_cast<std::uint32_t>(text.size());
    return s;
  }

  penstock::detail::wake_event wake_;
  penstock::lease_store* leases_ = nullptr;
  std::deque<penstock::operation*> held_;
  std::vector<penstock::operation*> canceled_;
};

}  // namespace scripted
