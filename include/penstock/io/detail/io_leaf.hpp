// penstock/io/detail/io_leaf.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The leaf that all I/O awaiters share: an operation, its place in the stop of its scope, and the
/// waiter. It is in the frame of the task that waits.

#include <penstock/base/result.hpp>
#include <penstock/core/awaitable.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/runtime/driver.hpp>

#include <cerrno>

namespace penstock::detail {

// A stop asks the driver to cancel; the leaf ends only when the operation itself has: until then
// the kernel may use the buffer. What completed anyway is delivered.
//
// await_resume() is a template in awaiters whose result is theirs alone, and so is what else makes
// such a result without waiting: the compiler makes a result<T>, which takes it 10 ms, in files
// that use it and not in all that include the header.
class io_leaf : protected operation, stop_node {
 protected:
  explicit io_leaf(operation_kind k) noexcept : operation(k) { complete = &io_leaf::ended; }
  // Before it starts.
  io_leaf(const io_leaf& o) noexcept : operation(o), stop_node() {}
  io_leaf& operator=(const io_leaf&) = delete;
  ~io_leaf() {
    settle();
    scope_stop::remove(*this);
  }

  suspension launch(waiter& w) noexcept {
    driver* const d = w.env->sched->io_driver();
    if (!d) [[unlikely]]
      stop_program("I/O on a loop without a driver: use penstock::runtime");
    if (!w.env->stop->try_add(*this)) return stopped_now(w);
    who_ = &w;
    if (!submit_all(*d)) return parked();
    scope_stop::remove(*this);
    if (d->take_inline_result()) return resume_now(w);
    w.env->sched->post(w);
    return parked();
  }
  // The operation is over. False: what is left is filled in, submit it again.
  virtual bool advance() noexcept { return true; }
  // First in the destructor of a class with members that the operation needs. True: the operation
  // was in flight, and `answer` is nobody's.
  bool settle() noexcept {
    if (!flying_) [[likely]]
      return false;
    land();
    return true;
  }
  // Asks for an early end without a stop: it ends with -ECANCELED, or as it would have; what is
  // left is not submitted any more.
  void cancel_now() noexcept {
    cut_ = true;
    if (flying_ && cancelable_) who_->env->sched->io_driver()->cancel(*this);
    if (!held_) return;
    end_hold();
    answer = -ECANCELED;
    scope_stop::remove(*this);
    who_->env->sched->post(*who_);
  }
  // In an advance() that gives false, unless ending(): go_on() will submit what is left. Where that
  // is not to come any more, let_go() is called.
  void hold() noexcept { held_ = true; }
  void go_on() noexcept {
    held_ = false;
    scheduler& s = loop();
    if (!submit_all(*s.io_driver())) return;
    scope_stop::remove(*this);
    s.post(*who_);
  }
  virtual void let_go() noexcept {}
  // A stop or cancel_now() wants it to end.
  [[nodiscard]] bool ending() const noexcept { return stopping_ || cut_; }
  [[nodiscard]] scheduler& loop() const noexcept { return *who_->env->sched; }
  // A stop does not shorten it.
  void keep_running() noexcept { cancelable_ = false; }

 private:
  // False: in flight, or held. True: all is over.
  bool submit_all(driver& d) noexcept {
    do {
      flying_ = !d.submit(*this);
      if (flying_) return false;
    } while (!finished() && !held_);
    return !held_;
  }
  bool finished() noexcept {
    if (answer == -EINTR && kind != operation_kind::close && kind != operation_kind::send_zero_copy)
      return false;
    return advance();
  }
  static void ended(operation& op) noexcept {
    io_leaf& self = static_cast<io_leaf&>(op);
    self.flying_ = false;
    if (!self.landing_) self.arrive();
  }
  void arrive() noexcept {
    scheduler& s = *who_->env->sched;
    if (stopping_) {
      const bool cut = answer == -ECANCELED || !finished();
      return cut ? s.post_stopped(*who_) : s.post(*who_);
    }
    if (!finished()) {
      if (cut_) [[unlikely]]
        answer = -ECANCELED;
      else if (held_ || !submit_all(*s.io_driver()))
        return;
    }
    scope_stop::remove(*this);
    s.post(*who_);
  }
  void on_stop() noexcept override {
    stopping_ = true;
    if (held_) [[unlikely]] {
      end_hold();
      return loop().post_stopped(*who_);
    }
    if (cancelable_) loop().io_driver()->cancel(*this);
  }
  void end_hold() noexcept {
    held_ = false;
    let_go();
  }
  wait_info info() const noexcept override { return {to_string(kind), nullptr, who_}; }
  // The task is destroyed where it waits: not before the kernel has let go of the buffer.
  PENSTOCK_NOINLINE void land() noexcept {
    landing_ = true;
    driver& d = *who_->env->sched->io_driver();
    if (cancelable_) d.cancel(*this);
    while (flying_) d.wait((duration::max)());
  }

  waiter* who_ = nullptr;
  bool flying_ = false;    // with the driver
  bool stopping_ = false;  // a stop was requested
  bool landing_ = false;   // nobody waits any more
  bool held_ = false;      // neither: waits for go_on()
  bool cut_ = false;       // cancel_now()
  bool cancelable_ = true;
};

// Base of the awaiters: `Derived` has start(w), which fills the operation and launches it.
template <class Derived>
class io_awaiter : public leaf<Derived>, protected io_leaf {
 protected:
  using io_leaf::io_leaf;
  io_awaiter(const io_awaiter& o) noexcept : leaf<Derived>(), io_leaf(o) {}
};

}  // namespace penstock::detail
