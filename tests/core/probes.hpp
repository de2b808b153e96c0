// tests/core/probes.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the tests of core/ watch with: a leaf that waits until it is told, a log of what happens in
/// which order, an exception of their own.

#include <penstock/core/awaitable.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/core/task.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace probes {

/// Parks tasks of one loop until set(); each wait() may be stopped. A minimal leaf.
class gate {
 public:
  class waiting : public penstock::leaf<waiting>, penstock::detail::stop_node {
   public:
    explicit waiting(gate& g) noexcept : gate_(&g) {}
    waiting(waiting&& o) noexcept : leaf(), stop_node(), gate_(o.gate_) {}
    ~waiting() { leave(); }
    bool await_ready() const noexcept { return gate_->open_; }
    penstock::suspension start(penstock::waiter& w) noexcept {
      if (!w.env->stop->try_add(*this)) return penstock::stopped_now(w);
      who_ = &w;
      gate_->all_.push_back(this);
      return penstock::parked();
    }
    void await_resume() noexcept { leave(); }

   private:
    friend gate;
    void leave() noexcept {
      penstock::detail::scope_stop::remove(*this);
      if (who_) std::erase(gate_->all_, this);
      who_ = nullptr;
    }
    void on_stop() noexcept override {
      auto* w = std::exchange(who_, nullptr);
      if (!w) return;
      std::erase(gate_->all_, this);
      w->env->sched->post_stopped(*w);
    }
    penstock::detail::wait_info info() const noexcept override { return {"gate", gate_, who_}; }

    gate* gate_;
    penstock::waiter* who_ = nullptr;
  };

  [[nodiscard]] waiting wait() noexcept { return waiting(*this); }
  [[nodiscard]] std::size_t waiters() const noexcept { return all_.size(); }
  /// Lets all go that wait, and those that come.
  void set() {
    open_ = true;
    while (!all_.empty()) {
      waiting* one = all_.front();
      all_.erase(all_.begin());
      auto* w = std::exchange(one->who_, nullptr);
      w->env->sched->post(*w);
    }
  }

 private:
  bool open_ = false;
  std::vector<waiting*> all_;
};

/// What happened, in order.
using log = std::vector<std::string>;

/// Writes its end into a log.
class [[nodiscard]] noted {
 public:
  noted(log& where, std::string what) : where_(&where), what_(std::move(what)) {}
  noted(const noted&) = delete;
  noted& operator=(const noted&) = delete;
  ~noted() { where_->push_back("~" + what_); }

 private:
  log* where_;
  std::string what_;
};

struct failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A text of what `run` throws, or "" if nothing.
template <class Run>
std::string thrown_by(Run&& run) {
  try {
    run();
    return "";
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace probes
