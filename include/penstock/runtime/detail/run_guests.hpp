// penstock/runtime/detail/run_guests.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The kinds of guests of a run: its main task, and a main task of each loop.

#include <penstock/runtime/detail/run_crew.hpp>
#include <penstock/runtime/detail/signal_stop.hpp>

#include <mutex>
#include <utility>

namespace penstock::detail {

// Derived has
//   void prepare();   before it begins, on its loop: may fill aw_, or cut_ or threw() instead
//   void end();       it is over, and nothing of its task is left
template <class A, class Derived>
class guest_of : public run_guest {
 public:
  using R = resume_t<A>;

 protected:
  explicit guest_of(run_crew& c) noexcept : crew_(c) {}
  ~guest_of() = default;

  // Once: what it yielded. A result carries the stop as an error; anything else throws it.
  R get() {
    if (!cut_) return result_.get();
    if constexpr (is_result_v<R>)
      return tl::unexpected<error>(error(errc::canceled));
    else
      throw_error(error(errc::canceled));
  }

  // Around the awaiter, which may have virtual functions and no virtual destructor.
  struct awaited {
    explicit awaited(A&& a) : aw(std::move(a)) {}
    A aw;
  };
  run_crew& crew_;
  std::optional<awaited> aw_;
  bool cut_ = false;

 private:
  Derived& self() noexcept { return static_cast<Derived&>(*this); }
  // First its beginning, then its end.
  step done(waiter&, waiter*) noexcept final {
    if (!begun_) {
      begun_ = true;
      self().prepare();
      if (!aw_) return ended();
      if (!aw_->aw.await_ready()) return {aw_->aw.start(*this)};
    }
    result_.take(aw_->aw);
    aw_.reset();
    return ended();
  }
  step stopped(waiter&, waiter* child) noexcept final {
    cut_ = true;
    destroy_child(*this, child);
    aw_.reset();
    return ended();
  }
  step ended() noexcept {
    self().end();
    return {};
  }
  bool is_scope() const noexcept final { return true; }

  child_result<R> result_;
  bool begun_ = false;
};

// What `run` is called with.
template <class A>
class main_guest final : public guest_of<A, main_guest<A>> {
 public:
  main_guest(run_crew& c, A&& a) : guest_of<A, main_guest>(c) { this->aw_.emplace(std::move(a)); }
  void drop() noexcept override {}
  void prepare() noexcept {}
  void end() noexcept { this->crew_.main_ended(); }
  // After the run. `background`: what a background task threw.
  resume_t<A> outcome(const std::exception_ptr& background) {
    if (this->cut_ && background) std::rethrow_exception(background);
    if constexpr (std::is_void_v<resume_t<A>>) {
      this->get();
      if (background) std::rethrow_exception(background);
    } else {
      resume_t<A> value = this->get();
      if (background) std::rethrow_exception(background);
      return value;
    }
  }
};

// What the main tasks of all loops came to: the first failure, which stops the others.
class each_outcome {
 public:
  explicit each_outcome(signal_target& all) noexcept : all_(all) {}
  void failed(error e) {
    const std::lock_guard lock(mutex_);
    if (failed_) return;
    failed_ = true;
    error_ = std::move(e);
    all_.stop();
  }
  void threw(std::exception_ptr e) {
    const std::lock_guard lock(mutex_);
    if (failed_) return;
    failed_ = true;
    thrown_ = std::move(e);
    all_.stop();
  }
  // After the run.
  result<> get(std::exception_ptr background) {
    if (!thrown_) thrown_ = std::move(background);
    if (thrown_) std::rethrow_exception(std::move(thrown_));
    if (failed_) return tl::unexpected<error>(std::move(error_));
    return {};
  }

 private:
  signal_target& all_;
  std::mutex mutex_;
  bool failed_ = false;  // these are guarded by mutex_ while the run is on
  error error_;
  std::exception_ptr thrown_;
};

// One loop's main task. Made on any thread; all else on the loop's.
template <class Fn, class A = awaiter_t<std::invoke_result_t<Fn&>>>
class each_guest final : public guest_of<A, each_guest<Fn, A>> {
 public:
  each_guest(run_crew& c, const Fn& fn, each_outcome& o)
      : guest_of<A, each_guest>(c), fn_(fn), outcome_(o) {}
  void drop() noexcept override {}
  void prepare() noexcept {
    try {
      this->aw_.emplace(awaiter_of(fn_()));
    } catch (...) {
      outcome_.threw(std::current_exception());
      told_ = true;
    }
  }
  void end() noexcept {
    try {
      if (!told_) {
        if (result<> r = this->get(); !r) outcome_.failed(std::move(r.error()));
      }
    } catch (...) {
      outcome_.threw(std::current_exception());
    }
    this->crew_.main_ended();
  }

 private:
  Fn fn_;
  each_outcome& outcome_;
  bool told_ = false;
};

}  // namespace penstock::detail
