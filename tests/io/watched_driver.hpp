// tests/io/watched_driver.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// In front of a loop's real driver: tells a test of each point at which something happens to an
/// operation, and knows what is in flight.
///
///     sockets::watched_driver d(rt, [&] { if (++points == stop_at) rt.request_stop(); });
///     ... in a task on the first loop: d.install();
///
/// The destructor takes it back, when nothing is in flight.

#include <penstock/core/scheduler.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/runtime.hpp>

#include <functional>
#include <unordered_map>
#include <utility>

namespace sockets {

class watched_driver final : public penstock::driver {
 public:
  watched_driver(penstock::driver& real, std::function<void()> at_point)
      : real_(real), at_point_(std::move(at_point)) {}
  ~watched_driver() override { remove(); }

  /// From here on the loop that runs uses it, until remove().
  void install() {
    loop_ = penstock::scheduler::current();
    loop_->set_io_driver(this);
    current_ = this;
  }
  void remove() {
    if (loop_) std::exchange(loop_, nullptr)->set_io_driver(&real_);
    current_ = nullptr;
  }
  [[nodiscard]] std::size_t watched() const { return flying_.size(); }

  std::string_view name() const noexcept override { return real_.name(); }
  bool supports(penstock::operation_kind k) const noexcept override { return real_.supports(k); }
  void cancel(penstock::operation& op) noexcept override { real_.cancel(op); }
  void forget(int fd) noexcept override { real_.forget(fd); }
  void wait(penstock::duration most) noexcept override { real_.wait(most); }
  void wake() noexcept override { real_.wake(); }
  void interrupt() noexcept override { real_.interrupt(); }
  void leave() noexcept override { real_.leave(); }

  /// Points: behind a submit, before and behind a completion.
  bool submit(penstock::operation& op) noexcept override {
    const auto before = std::exchange(op.complete, &watched_driver::completed);
    flying_[&op] = before;
    const bool over = real_.submit(op);
    if (over) {
      op.complete = before;
      flying_.erase(&op);
    }
    at_point_();
    return over;
  }

 private:
  static void completed(penstock::operation& op) noexcept {
    watched_driver& self = *current_;
    const auto told = self.flying_[&op];
    if (!op.more) {
      op.complete = told;
      self.flying_.erase(&op);
    }
    self.at_point_();
    told(op);
    self.at_point_();
  }

  static inline thread_local watched_driver* current_ = nullptr;
  penstock::driver& real_;
  std::function<void()> at_point_;
  penstock::scheduler* loop_ = nullptr;
  std::unordered_map<penstock::operation*, penstock::operation::completion> flying_;
};

}  // namespace sockets
