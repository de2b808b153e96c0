// penstock/stream/detail/flow.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a pipeline runs: a flow is one run of a whole pipeline, a pump one sequential consumer in
/// it. The protocol between stages is `pull`.
///
///     pulled pull(pump& p, std::optional<T>& out);
///
/// asks a stage for its next item. `item`: it is in `out`. `end`: there are no more. `wait`: the
/// stage has begun something that calls `p.wake()` when it is over; then it is pulled again, with
/// the same `p`. `cut`: the flow has failed or was stopped. So a chain of synchronous stages is one
/// inlined call, and a stage that waits keeps what it waits for in itself: no frame, no allocation.
/// A stage may be pulled, and a pump woken, while what it waits for is under way still: nothing
/// happens then.
///
///     template <class Push> pulled drive(pump& p, std::size_t& left, Push push);
///
/// of streams of which at most the source waits (`is_sync`) is the loop itself: pushes one item
/// after the other, as long as push(T&&) says true, and for `left` elements of the source. Entered
/// with `left` >= 1; answers `wait` with `left` 0 when the turn is over. After a no of push() it
/// returns at once, whatever it answers: who said no knows why, and may go on later. What a stage
/// counts is a local of the loop, in a register. An item that nobody has moved from is the source's
/// again.
///
/// open(flow&) comes before, and with next() again before each item.

#include <penstock/base/result.hpp>
#include <penstock/core/awaitable.hpp>
#include <penstock/core/scheduler.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace penstock::detail {

enum class pulled : unsigned char { item, end, wait, cut };

// One run of a pipeline: what it inherits, what is under way in it, and how it ends. All on one
// loop.
class flow {
 public:
  [[nodiscard]] const environment& env() const noexcept { return *env_; }
  [[nodiscard]] waiter& up() const noexcept { return *up_; }
  // Nothing is begun any more: it failed, was stopped, or has all that it wanted.
  [[nodiscard]] bool is_cut() const noexcept { return cut_ || (outer_ && outer_->is_cut()); }
  [[nodiscard]] bool failed() const noexcept { return thrown_ || has_error_; }

  // The first failure is the outcome.
  void fail(error e) noexcept {
    if (!failed()) {
      error_ = std::move(e);
      has_error_ = true;
    }
    cut(stop_reason::sibling_failed);
  }
  void fail(std::exception_ptr e) noexcept {
    if (!failed()) thrown_ = std::move(e);
    cut(stop_reason::sibling_failed);
  }
  // Something under way, or about to be, was stopped. Unless its flow was cut: by a stop of all.
  void stopped() noexcept {
    if (cut_one()) return;
    flow& all = outermost();
    all.stopped_ = true;
    all.cut(stop_reason::sibling_failed);
  }
  // The sink has all that it wants: what still runs is stopped.
  void over() noexcept { cut(stop_reason::race_lost); }

  // Something was begun that ends later with one of the next two.
  void begun() noexcept {
    for (flow* f = this; f; f = f->outer_) ++f->live_;
  }
  step ended(class pump& p) noexcept;
  step ended_stopped() noexcept {
    count_out();
    stopped();
    return cut_one()->settle();
  }
  // For a pump that has worked for long without a wait: it is woken when all others had a turn.
  pulled rest(class pump& p) noexcept;
  // After a cut: goes on upwards when nothing is under way any more.
  step settle() noexcept { return live_ == 0 ? finish() : step{}; }

 protected:
  flow() noexcept = default;
  ~flow() = default;

  virtual void stop_rest(stop_reason why) noexcept = 0;
  virtual step finish() noexcept = 0;

  // A flow inside of another: what is under way in it is so in that one, too, but its failure is
  // its own affair. finish() is called when it was cut, and the other was not.
  void open_inside(flow& outer, const environment& e) noexcept {
    outer_ = &outer;
    open(*outer.up_, e);
  }
  // One that has settled begins again.
  void reopen() noexcept {
    cut_ = has_error_ = stopped_ = false;
    thrown_ = nullptr;
  }
  [[nodiscard]] bool is_settled() const noexcept { return live_ == 0; }
  // For what follows this flow's stop.
  [[nodiscard]] static waiter& place_in(flow& f) noexcept { return f.turn_; }
  void open(waiter& up, const environment& e) noexcept {
    up_ = &up;
    env_ = &e;
    turn_.parent = &up;
    turn_.env = &e;
  }
  [[nodiscard]] bool ended_by_stop() const noexcept { return stopped_ && !failed(); }
  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }
  bool has_error_ = false;
  error error_;  // if there is one

 private:
  void cut(stop_reason why) noexcept {
    if (std::exchange(cut_, true)) return;
    if (live_ != 0) stop_rest(why);
  }
  void count_out() noexcept {
    for (flow* f = this; f; f = f->outer_) --f->live_;
  }
  // The outermost that is cut, or null.
  flow* cut_one() noexcept {
    flow* found = nullptr;
    for (flow* f = this; f; f = f->outer_)
      if (f->cut_) found = f;
    return found;
  }
  flow& outermost() noexcept { return outer_ ? outer_->outermost() : *this; }
  // A turn for the first of those that gave way.
  struct turn final : waiter, hook {
    explicit turn(flow& f) noexcept : of(f) { hooked = this; }
    step done(waiter&, waiter*) noexcept override { return of.next_turn(); }
    bool is_scope() const noexcept override { return true; }
    flow& of;
  };
  step next_turn() noexcept;

  turn turn_{*this};
  pump* resting_ = nullptr;
  pump* last_resting_ = nullptr;
  const environment* env_ = nullptr;
  waiter* up_ = nullptr;
  flow* outer_ = nullptr;
  std::size_t live_ = 0;
  bool cut_ = false;
  bool stopped_ = false;
  std::exception_ptr thrown_;
};

// One sequential consumer: the sink's loop, the loop of an eager stage over what is upstream of it,
// or one of its concurrent calls.
class pump {
 public:
  // What a pull waited for is over. Called on the loop, not from inside a pull.
  virtual step wake() noexcept = 0;

  [[nodiscard]] flow& of() const noexcept { return *flow_; }
  // Whether a pull may begin what has to be waited for; else it only prepares and says `wait`.
  [[nodiscard]] bool may_begin() const noexcept { return may_begin_; }
  // For loops inside of a pull, once a round: false, and it is time to give_way().
  [[nodiscard]] bool spend() noexcept { return ++spent_ % most_rounds != 0; }
  pulled give_way() noexcept { return may_begin_ ? flow_->rest(*this) : pulled::wait; }
  static constexpr std::size_t most_rounds = 1024;

 protected:
  pump() noexcept = default;
  ~pump() = default;
  void attach(flow& f) noexcept { flow_ = &f; }
  bool may_begin_ = true;

 private:
  friend flow;
  flow* flow_ = nullptr;
  pump* next_resting_ = nullptr;
  std::uint32_t spent_ = 0;
  bool is_resting_ = false;
};

inline step flow::ended(pump& p) noexcept {
  count_out();
  if (flow* const f = cut_one()) return f->settle();
  return p.wake();
}
inline pulled flow::rest(pump& p) noexcept {
  if (std::exchange(p.is_resting_, true)) return pulled::wait;
  p.next_resting_ = nullptr;
  begun();
  if (resting_) {
    last_resting_->next_resting_ = &p;
  } else {
    resting_ = &p;
    env_->sched->post(turn_);
  }
  last_resting_ = &p;
  return pulled::wait;
}
inline step flow::next_turn() noexcept {
  pump& p = *resting_;
  resting_ = p.next_resting_;
  p.is_resting_ = false;
  if (resting_) env_->sched->post(turn_);
  if (stop_requested(turn_)) return ended_stopped();
  return ended(p);
}

}  // namespace penstock::detail
