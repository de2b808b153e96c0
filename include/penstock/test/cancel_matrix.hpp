// penstock/test/cancel_matrix.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Stops one awaitable operation at every moment that matters, {before start, parked, at the
/// instant of completion, after}, and checks that no value is lost, no permit is leaked, nothing is
/// resumed twice.

#include <penstock/base/taken.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/test/seeds.hpp>
#include <penstock/test/test_runtime.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace penstock {
namespace test {

/// When the stop comes.
enum class cancel_stage : unsigned char {
  before_start,      ///< before the operation is awaited
  parked,            ///< while it waits; it is made completable only after it has ended
  stop_first,        ///< in one turn: the stop, then what completes the operation
  completion_first,  ///< in one turn: what completes the operation, then the stop
  after,             ///< when the operation has completed
};
[[nodiscard]] constexpr const char* to_string(cancel_stage s) noexcept {
  switch (s) {
    case cancel_stage::before_start:
      return "before_start";
    case cancel_stage::parked:
      return "parked";
    case cancel_stage::stop_first:
      return "stop_first";
    case cancel_stage::completion_first:
      return "completion_first";
    case cancel_stage::after:
      return "after";
  }
  return "?";
}

/// Options of `cancel_matrix`.
struct cancel_matrix_options {
  std::uint64_t seeds = 6;  ///< orders of ready tasks that each stage is run with
  bool stoppable = true;    ///< the parked operation ends when it is stopped
};
static_assert(std::is_trivially_copyable_v<cancel_matrix_options>);

/// Thrown by `cancel_matrix`; `what()` names the stage, the seed and what is wrong.
class cancel_matrix_failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace test

namespace detail {
// Where the operation's caller waits after the operation, whatever is stopped, until it is let go:
// one that is resumed before was resumed by the operation a second time.
class matrix_gate {
 public:
  class passage : public leaf<passage> {
   public:
    explicit passage(matrix_gate& g) noexcept : gate_(&g) {}
    suspension start(waiter& w) noexcept {
      if (gate_->open_) return resume_now(w);
      gate_->who_ = &w;
      return parked();
    }
    // False: too early.
    bool await_resume() noexcept {
      gate_->who_ = nullptr;
      return gate_->open_;
    }

   private:
    matrix_gate* gate_;
  };

  [[nodiscard]] passage pass() noexcept { return passage(*this); }
  void open() noexcept {
    open_ = true;
    if (who_) who_->env->sched->post(*detail::taken(who_));
  }

 private:
  bool open_ = false;
  waiter* who_ = nullptr;
};

template <class Fixture, class Operation, class Complete, class Verify>
class matrix_case {
  using awaited = std::invoke_result_t<Operation&, Fixture&>;
  using outcome = std::optional<stored<await_result_t<awaited>>>;

 public:
  matrix_case(Fixture& f, Operation& o, Complete& c, Verify& v, test::cancel_stage s,
              bool stoppable)
      : fixture_(f), operation_(o), complete_(c), verify_(v), stage_(s), stoppable_(stoppable) {}

  task<> run() {
    co_await when_all(operate(), control());
    if (twice_) throw std::logic_error("the operation resumed its caller twice");
    using verdict = std::invoke_result_t<Verify&, Fixture&, const outcome&, test::cancel_stage>;
    if constexpr (std::is_void_v<verdict>) {
      verify_(fixture_, std::as_const(outcome_), stage_);
    } else if constexpr (std::is_same_v<verdict, bool>) {
      const bool good = verify_(fixture_, std::as_const(outcome_), stage_);
      if (!good) throw std::logic_error("verify() is not satisfied");
    } else if constexpr (awaitable<verdict>) {
      co_await verify_(fixture_, std::as_const(outcome_), stage_);
    } else {
      const std::string complaint = verify_(fixture_, std::as_const(outcome_), stage_);
      if (!complaint.empty()) throw std::logic_error(complaint);
    }
  }

 private:
  task<> operate() {
    auto body = [this](task_group& group) -> task<> {
      group_ = &group;
      if (stage_ == test::cancel_stage::before_start) group.request_stop();
      if constexpr (std::is_void_v<await_result_t<awaited>>) {
        co_await operation_(fixture_);
        outcome_.emplace();
      } else {
        outcome_.emplace(co_await operation_(fixture_));
      }
      const bool let_go = co_await gate_.pass();
      if (!let_go) twice_ = true;
    };
    co_await with_group(body);
    ended_ = true;
  }
  task<> control() {
    const std::string trouble = co_await stop_and_complete();
    gate_.open();
    co_await sleep_for(settle_time);
    if (!trouble.empty()) throw std::logic_error(trouble);
  }
  // The order of events; what was wrong, or "".
  task<std::string> stop_and_complete() {
    std::string trouble;
    co_await sleep_for(settle_time);
    switch (stage_) {
      case test::cancel_stage::before_start:
        if (stoppable_ && !ended_ && !outcome_) trouble = "it did not end when stopped";
        co_await finish();
        break;
      case test::cancel_stage::parked:
        if (ended_ || outcome_) co_return "it did not wait: make_fixture() must let it wait";
        group_->request_stop();
        co_await sleep_for(settle_time);
        if (stoppable_ && !ended_) trouble = "it did not end when stopped";
        if (stoppable_ && outcome_) trouble = "it completed without what completes it";
        co_await finish();
        break;
      case test::cancel_stage::stop_first:
        group_->request_stop();
        co_await finish();
        break;
      case test::cancel_stage::completion_first:
        co_await finish();
        if (!ended_) group_->request_stop();
        break;
      case test::cancel_stage::after:
        co_await finish();
        co_await sleep_for(settle_time);
        if (!outcome_) co_return "it did not complete";
        group_->request_stop();
        break;
    }
    co_await sleep_for(settle_time);
    if (!ended_ && !outcome_ && trouble.empty()) trouble = "it neither completed nor ended";
    co_return trouble;
  }
  task<> finish() {
    if constexpr (std::is_void_v<std::invoke_result_t<Complete&, Fixture&>>) {
      complete_(fixture_);
      co_return;
    } else if constexpr (std::is_void_v<
                             await_result_t<std::invoke_result_t<Complete&, Fixture&>>>) {
      co_await complete_(fixture_);
    } else {
      [[maybe_unused]] const auto done = co_await complete_(fixture_);
    }
  }
  static constexpr duration settle_time{1};  // virtual: passes when nothing is ready any more

  Fixture& fixture_;
  Operation& operation_;
  Complete& complete_;
  Verify& verify_;
  test::cancel_stage stage_;
  bool stoppable_;
  bool ended_ = false;
  bool twice_ = false;
  task_group* group_ = nullptr;
  matrix_gate gate_;
  outcome outcome_;
};
}  // namespace detail

namespace test {
/// Runs an operation through all stages, each on fresh state and with several seeds.
///
/// **Parameters.** `make_fixture()` - fresh state, in which the operation has to wait;
/// `operation(fixture)` - gives the awaitable under test (give the awaiter itself where there is
/// one: then a second resume is seen); `complete(fixture)` - makes the waiting operation
/// completable, may give a task (the stop of `completion_first` comes after it); `verify(fixture,
/// outcome, stage)` - checks that nothing is lost or leaked, at the end of each case; `outcome` is
/// an optional of what the operation yielded, empty when it was stopped. It gives nothing, a bool,
/// a text of what is wrong, or a task.
/// **Errors.** throws `cancel_matrix_failure`: also for a deadlock, a second post of the caller,
/// or an operation that does not end when stopped.
/// **Example.** @snippet tests/test/cancel_matrix_test.cpp matrix
template <class MakeFixture, class Operation, class Complete, class Verify>
void cancel_matrix(MakeFixture make_fixture, Operation operation, Complete complete, Verify verify,
                   cancel_matrix_options options = {}) {
  for (auto stage : {cancel_stage::before_start, cancel_stage::parked, cancel_stage::stop_first,
                     cancel_stage::completion_first, cancel_stage::after}) {
    for (auto seed : seeds(options.seeds)) {
      try {
        auto fixture = make_fixture();
        test_runtime rt({.seed = seed});
        detail::matrix_case one(fixture, operation, complete, verify, stage, options.stoppable);
        rt.run(one.run());
      } catch (const std::exception& e) {
        throw cancel_matrix_failure(std::string("cancel_matrix: stage ") + to_string(stage) +
                                    ", seed " + std::to_string(seed) + ": " + e.what());
      }
    }
  }
}

}  // namespace test
}  // namespace penstock
