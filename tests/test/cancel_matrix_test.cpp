// tests/test/cancel_matrix_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/test/cancel_matrix.hpp>

#include <penstock/core/yield.hpp>
#include <penstock/test/lifetime_tracked.hpp>
#include <support/skip.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;
using test::lifetime_log;
using test::lifetime_tracked;

namespace {

// What can be wrong with the mailbox below.
enum class bug { none, loses_value, leaks_permit, resumes_twice, resumes_late, ignores_stop };

// Hands one value to one receiver; a receiver has a permit while it waits.
class mailbox {
 public:
  class receiver : public leaf<receiver>, detail::stop_node {
   public:
    explicit receiver(mailbox& box) noexcept : box_(&box) {}
    receiver(receiver&& o) noexcept : leaf(), stop_node(), box_(o.box_) {}
    ~receiver() { detail::scope_stop::remove(*this); }

    suspension start(waiter& w) {
      if (!w.env->stop->try_add(*this)) return stopped_now(w);
      who_ = &w;
      box_->waiting_ = this;
      --box_->permits_;
      return parked();
    }
    lifetime_tracked await_resume() { return *std::move(got_); }

   private:
    friend mailbox;
    void on_stop() noexcept override {
      if (box_->bug_ == bug::ignores_stop) return;
      if (box_->waiting_ != this && box_->bug_ != bug::resumes_twice) return;  // it has the value
      stopped_ = true;
      if (box_->bug_ != bug::loses_value) box_->waiting_ = nullptr;
      if (box_->bug_ != bug::leaks_permit) ++box_->permits_;
      who_->env->sched->post_stopped(*who_);
    }
    detail::wait_info info() const noexcept override { return {"mailbox::receive", box_, who_}; }

    mailbox* box_;
    waiter* who_ = nullptr;
    bool stopped_ = false;
    std::optional<lifetime_tracked> got_;
  };

  explicit mailbox(bug b) noexcept : bug_(b) {}
  receiver receive() noexcept { return receiver(*this); }
  void send(lifetime_tracked v) {
    if (!waiting_) {
      value_.emplace(std::move(v));
      return;
    }
    receiver& r = *std::exchange(waiting_, nullptr);
    r.got_.emplace(std::move(v));
    if (r.stopped_) return;  // loses_value
    ++permits_;
    served_ = r.who_;
    served_->env->sched->post(*served_);
  }
  void serve_again() {
    if (bug_ == bug::resumes_late && served_) served_->env->sched->post(*served_);
  }
  int permits() const noexcept { return permits_; }
  bool holds() const noexcept { return value_.has_value(); }

 private:
  const bug bug_;
  int permits_ = 1;
  receiver* waiting_ = nullptr;
  waiter* served_ = nullptr;
  std::optional<lifetime_tracked> value_;
};

struct fixture {
  explicit fixture(bug b) : box(b) {}
  lifetime_log log;
  mailbox box;
};

std::string verify(fixture& f, const std::optional<lifetime_tracked>& outcome, cancel_stage) {
  if (f.box.permits() != 1) return "a permit is leaked";
  if (outcome.has_value() == f.box.holds()) return "the value is lost";
  return "";
}

void run_matrix(bug planted) {
  // [matrix]
  test::cancel_matrix([planted] { return fixture(planted); },
                      [](fixture& f) { return f.box.receive(); },
                      [](fixture& f) { f.box.send(lifetime_tracked(f.log, 7)); }, verify);
  // [/matrix]
}
void run_matrix_with_late_resume() {
  test::cancel_matrix([] { return fixture(bug::resumes_late); },
                      [](fixture& f) { return f.box.receive(); },
                      [](fixture& f) -> task<> {
                        f.box.send(lifetime_tracked(f.log, 7));
                        co_await sleep_for(1ns);
                        f.box.serve_again();
                      },
                      verify);
}

std::string complaint(bug planted) {
  try {
    if (planted == bug::resumes_late)
      run_matrix_with_late_resume();
    else
      run_matrix(planted);
    return "none";
  } catch (const test::cancel_matrix_failure& e) {
    return e.what();
  }
}

}  // namespace

TEST_CASE("a correct leaf passes the cancel matrix") { CHECK(complaint(bug::none) == "none"); }

TEST_CASE("the cancel matrix finds a leaf that loses a value when it is stopped") {
  if (PENSTOCK_ASAN)
    return support::skip("it writes to a frame that is gone, which the sanitizer reports");
  CHECK(complaint(bug::loses_value) == "cancel_matrix: stage parked, seed 0: the value is lost");
}

TEST_CASE("the cancel matrix finds a leaf that leaks a permit when it is stopped") {
  CHECK(complaint(bug::leaks_permit) == "cancel_matrix: stage parked, seed 0: a permit is leaked");
}

TEST_CASE("the cancel matrix finds a leaf that posts its waiter twice in one turn") {
  CHECK(complaint(bug::resumes_twice) ==
        "cancel_matrix: stage completion_first, seed 0: test_runtime: a waiter was posted again "
        "before it ran");
}

TEST_CASE("the cancel matrix finds a leaf that resumes its waiter again later") {
  CHECK(complaint(bug::resumes_late) ==
        "cancel_matrix: stage completion_first, seed 0: the operation resumed its caller twice");
}

TEST_CASE("the cancel matrix finds a leaf that does not heed a stop") {
  CHECK(complaint(bug::ignores_stop) ==
        "cancel_matrix: stage parked, seed 0: it did not end when stopped");
}

TEST_CASE("the cancel matrix finds a fixture in which the operation need not wait") {
  const auto run = [] {
    test::cancel_matrix([] { return 0; }, [](int&) { return sleep_for(0ns); }, [](int&) {},
                        [](int&, const auto&, cancel_stage) {});
  };
  CHECK_THROWS_WITH_AS(run(),
                       "cancel_matrix: stage parked, seed 0: it did not wait: make_fixture() must "
                       "let it wait",
                       test::cancel_matrix_failure);
}

TEST_CASE("verify may give a bool or a task, and its exceptions name the stage") {
  struct box {
    mailbox mail{bug::none};
    lifetime_log log;
  };
  const auto with = [](auto verify) {
    test::cancel_matrix([] { return box(); },
                        [](box& b) -> task<int> {
                          auto v = co_await b.mail.receive();
                          co_return v.value();
                        },
                        [](box& b) { b.mail.send(lifetime_tracked(b.log, 7)); }, verify,
                        {.seeds = 2});
  };
  with([](box&, const std::optional<int>& got, cancel_stage s) {
    return !got || (*got == 7 && s != cancel_stage::parked);
  });
  with([](box&, const std::optional<int>&, cancel_stage) -> task<> { co_await yield(); });
  CHECK_THROWS_WITH_AS(with([](box&, const std::optional<int>& got, cancel_stage) { return !got; }),
                       "cancel_matrix: stage completion_first, seed 0: verify() is not satisfied",
                       test::cancel_matrix_failure);
  CHECK_THROWS_WITH_AS(with([](box&, const std::optional<int>&, cancel_stage) -> task<> {
                         co_await yield();
                         throw std::runtime_error("no");
                       }),
                       "cancel_matrix: stage before_start, seed 0: no",
                       test::cancel_matrix_failure);
}
