// penstock/runtime/detail/each_loop.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a runtime gives its loops to run: one root, or one root a loop with a common outcome.

#include <penstock/runtime/detail/futex.hpp>
#include <penstock/runtime/event_loop.hpp>

#include <exception>
#include <functional>
#include <mutex>
#include <optional>

namespace penstock::detail {

template <class A>
class root_work final : public loop_work {
 public:
  root_work(event_loop& l, A&& a) : root_(l, std::move(a)) {}
  void start() override { root_.start(); }
  bool over() const noexcept override { return root_.over(); }
  void request_stop(stop_reason why) noexcept override { root_.request_stop(why); }
  decltype(auto) outcome() { return root_.outcome(); }

 private:
  root<A> root_;
};

// What the loops' works came to: the first failure, which stops the others.
class each_outcome {
 public:
  each_outcome(std::function<void()> stop_all, std::size_t works)
      : stop_all_(std::move(stop_all)), left_(static_cast<std::uint32_t>(works)) {}

  void failed(error e) {
    const std::lock_guard lock(mutex_);
    if (!outcome_ || thrown_) return;
    outcome_ = tl::unexpected<error>(std::move(e));
    stop_all_();
  }
  void threw(std::exception_ptr e) {
    const std::lock_guard lock(mutex_);
    if (!outcome_ || thrown_) return;
    thrown_ = std::move(e);
    stop_all_();
  }
  void one_ended() noexcept {
    const std::lock_guard lock(mutex_);
    left_.fetch_sub(1, memory_order_release);
    futex_wake(left_, 1);
  }
  // Until all have ended.
  result<> wait() {
    while (const auto n = left_.load(memory_order_acquire)) futex_wait(left_, n);
    const std::lock_guard lock(mutex_);  // the last one is out
    if (thrown_) std::rethrow_exception(std::move(thrown_));
    return std::move(outcome_);
  }

 private:
  std::function<void()> stop_all_;
  std::mutex mutex_;
  result<> outcome_;           // guarded by mutex_
  std::exception_ptr thrown_;  // guarded by mutex_
  atomic<std::uint32_t> left_;
};

// One loop's part. Made on any thread; all else on the loop's.
template <class Fn>
class each_work final : public loop_work {
  using awaited = awaiter_t<std::invoke_result_t<Fn&>>;

 public:
  each_work(event_loop& l, const Fn& fn, each_outcome& o) : loop_(l), fn_(fn), outcome_(o) {}
  void start() override {
    try {
      root_.emplace(loop_, awaiter_of(fn_()));
    } catch (...) {
      outcome_.threw(std::current_exception());
      return;
    }
    root_->start();
  }
  bool over() const noexcept override { return !root_ || root_->over(); }
  void request_stop(stop_reason why) noexcept override {
    if (root_) root_->request_stop(why);
  }
  void ended() noexcept override {
    try {
      if (root_) {
        if (result<> r = root_->outcome(); !r) outcome_.failed(std::move(r.error()));
      }
    } catch (...) {
      outcome_.threw(std::current_exception());
    }
    root_.reset();
    outcome_.one_ended();
  }

 private:
  event_loop& loop_;
  Fn fn_;
  each_outcome& outcome_;
  std::optional<root<awaited>> root_;
};

}  // namespace penstock::detail
