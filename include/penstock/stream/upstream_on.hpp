// penstock/stream/upstream_on.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Runs what comes before it on another loop. A function of a stage alone: `resume_on(loop, ...)`
/// inside of it; computations: offload_map.hpp.

#include <penstock/core/resume_on.hpp>
#include <penstock/stream/detail/await_slot.hpp>
#include <penstock/stream/detail/eager.hpp>
#include <penstock/stream/to_channel.hpp>
#include <penstock/sync/channel.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace penstock {
namespace detail {
template <class Up>
class elsewhere_stream : public eager_stream<elsewhere_stream<Up>, typename Up::value_type>, pump {
  using T = typename Up::value_type;
  using base = eager_stream<elsewhere_stream, T>;
  using line = pipeline<Up, channel_sink_of<channel<T>, T>>;
  using there = awaiter_t<decltype(resume_on(std::declval<scheduler&>(), std::declval<line>()))>;
  friend base;

 public:
  elsewhere_stream(Up&& up, scheduler& loop, std::size_t capacity)
      : up_(std::move(up)), loop_(&loop), capacity_(capacity) {}
  elsewhere_stream(elsewhere_stream&& o)
      : base(), pump(), up_(std::move(o.up_)), loop_(o.loop_), capacity_(o.capacity_) {}

  void open(flow& f) {
    this->open_stage(f);
    pump::attach(f);
    if (capacity_ == 0)
      f.fail(error(errc::invalid_option).with("upstream_on", "capacity 0"));
    else
      between_.emplace(capacity_);
  }

 private:
  void fill() {
    if (up_) {
      running_.set(resume_on(*loop_, line(*std::exchange(up_, std::nullopt),
                                          channel_sink_of<channel<T>, T>(*between_, false))));
    }
    static_cast<void>(running_.advance(*this));
  }
  bool take(std::optional<T>& out) {
    if (!at_end_) {
      if (!receiving_.busy()) receiving_.set(between_->receive());
      if (receiving_.advance(*this) != pulled::item) return false;
      auto next = receiving_.take();
      if (next) {
        out.emplace(*std::move(next));
        return true;
      }
      at_end_ = true;  // why says what runs there
    }
    if (ended_ || running_.advance(*this) != pulled::item) return false;
    auto outcome = running_.take();
    ended_ = true;
    if (!outcome) base::of().fail(std::move(outcome.error()));
    return false;
  }
  [[nodiscard]] bool finished() const noexcept { return ended_; }
  step wake() noexcept override { return this->news(); }

  std::optional<Up> up_;  // before it runs
  scheduler* loop_;
  std::size_t capacity_;
  std::optional<channel<T>> between_;
  await_slot<there> running_;
  await_slot<decltype(std::declval<channel<T>&>().receive())> receiving_;
  bool at_end_ = false;
  bool ended_ = false;
};
class elsewhere_stage : public stream_stage {
 public:
  elsewhere_stage(scheduler& loop, std::size_t capacity) noexcept
      : loop_(&loop), capacity_(capacity) {}
  template <class Up>
  auto over(Up&& up) const {
    return elsewhere_stream<Up>(std::move(up), *loop_, capacity_);
  }

 private:
  scheduler* loop_;
  std::size_t capacity_;
};
}  // namespace detail

/// Runs the stream before it on the loop `there`, and what is behind it here.
///
/// **Shape.** `-a-b-|` upstream_on(loop, 4) `-a-b-|`; with a consumer that is busy for 2 ms: `abc|`
/// upstream_on(loop, 1) `a-b-c-|`
/// **Parameters.** `there` - a loop that runs until the pipeline is over: `rt.loop(1)`. `capacity`
/// - items that are on their way, at least 1.
/// **Errors.** those of the stream, exceptions too, behind the items that came before;
/// `errc::invalid_option`.
/// **Ordering.** emits in order, when the consumer asks; backpressures with `capacity` items;
/// completes and fails with the stream, behind what came before; cancels it, by a post to its loop,
/// and waits for its end.
/// **Thread-safety.** what the stages before it refer to is used on the loop `there`; the items
/// change loops.
/// **Complexity.** eager: needs a sink. A `channel` of `capacity`: one allocation; some 15 ns for
/// an item while both sides are busy.
/// **Lifetime.** the background work of objects (service scope) is not available to what runs
/// there.
/// **Example.** @snippet tests/stream/upstream_on_test.cpp upstream_on
[[nodiscard]] inline auto upstream_on(scheduler& there, std::size_t capacity = 64) noexcept {
  return detail::elsewhere_stage(there, capacity);
}

}  // namespace penstock
