// SPDX-License-Identifier: BSL-1.0
// timer.*: starting and cancelling a timer while 10,000 are alive.
#include <penstock/core.hpp>
#include "../support/loop.hpp"

#include "../baseline/timer_wheel.hpp"
#include "../support/harness.hpp"

#include <memory>
#include <vector>

namespace {

using bench::values;

constexpr std::size_t alive = 10'000;
constexpr std::uint64_t restarts = 300'000;

// The next of them is cancelled and started again, for 5 seconds from a time that goes on: as
// timeouts of connections do.
values timer_baseline() {
  const auto wheel = std::make_unique<baseline::timer_wheel>();
  std::vector<baseline::wheel_timer> timers(alive);
  for (std::size_t i = 0; i < alive; ++i) {
    timers[i].tick = 5000 + i % 100;
    wheel->start(timers[i]);
  }
  const bench::stopwatch time;
  std::size_t next = 0;
  for (std::uint64_t i = 0; i < restarts; ++i) {
    baseline::wheel_timer& t = timers[next];
    if (++next == alive) next = 0;
    wheel->cancel(t);
    t.tick = 5000 + (i >> 10);
    wheel->start(t);
    bench::keep(t);
  }
  return {time.nanoseconds() / static_cast<double>(restarts)};
}

class idle_timer final : public penstock::detail::timer {
 public:
  void on_time() noexcept override { bench::check(false, "timer.start_cancel: a timer fired"); }
};

penstock::task<double> restart_all() {
  using std::chrono::milliseconds, std::chrono::seconds;
  penstock::scheduler& loop = co_await penstock::this_task::scheduler();
  const penstock::time_point start = co_await penstock::this_task::now() + seconds(5);
  const auto timers = std::make_unique<idle_timer[]>(alive);
  for (std::size_t i = 0; i < alive; ++i) {
    timers[i].at = start + milliseconds(i % 100);
    loop.add_timer(timers[i]);
  }
  const bench::stopwatch time;
  std::size_t next = 0;
  for (std::uint64_t i = 0; i < restarts; ++i) {
    idle_timer& t = timers[next];
    if (++next == alive) next = 0;
    loop.cancel_timer(t);
    t.at = start + milliseconds(i >> 10);
    loop.add_timer(t);
    bench::keep(t);
  }
  const double ns = time.nanoseconds() / static_cast<double>(restarts);
  for (std::size_t i = 0; i < alive; ++i) {
    bench::check(timers[i].armed, "timer.start_cancel: a timer was lost");
    loop.cancel_timer(timers[i]);
  }
  co_return ns;
}
values timer_subject() { return {bench::in_loop(restart_all())}; }

const bench::add timer_start_cancel(
    {.metrics = {{"timer.start_cancel", "ns", bench::judged::ratio_at_most, {4.0}}},
     .baseline = timer_baseline,
     .subject = timer_subject});

}  // namespace
