// penstock/runtime/detail/event_loop_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of event_loop.hpp, all but the turn.

#include <penstock/base/taken.hpp>
#include <penstock/runtime/event_loop.hpp>

#include <utility>

namespace penstock {

// The driver, for any thread and for signal handlers; use() waits for them.
struct event_loop::borrowed {
  explicit borrowed(const event_loop& l) noexcept : loop(l) {
    loop.driver_users_.fetch_add(1, detail::memory_order_seq_cst);
    it = loop.shared_driver_.load(detail::memory_order_seq_cst);
  }
  borrowed(const borrowed&) = delete;
  borrowed& operator=(const borrowed&) = delete;
  ~borrowed() { loop.driver_users_.fetch_sub(1, detail::memory_order_release); }
  const event_loop& loop;
  driver* it;
};

PENSTOCK_ONCE event_loop::event_loop(cpu_pool& pool, event_loop_options options) noexcept
    : scheduler(static_cast<std::uint64_t>(detail::clock_time(CLOCK_REALTIME).count())),
      pool_(pool),
      spin_(options.spin),
      timers_(event_loop::now()),
      kernel_tick_(detail::clock_tick(CLOCK_MONOTONIC_COARSE)) {}

PENSTOCK_ONCE event_loop::~event_loop() { use(nullptr); }

PENSTOCK_ONCE void event_loop::use(detail::owned<driver> d) noexcept {
  shared_driver_.store(nullptr, detail::memory_order_seq_cst);
  detail::spin_wait waiting;
  while (driver_users_.load(detail::memory_order_seq_cst) != 0) waiting.once();
  driver_ = std::move(d);
  wakes_announced_ = 0;
  set_io_driver(driver_.get());
  shared_driver_.store(driver_.get(), detail::memory_order_seq_cst);
}

PENSTOCK_ONCE std::string_view event_loop::driver_name() const noexcept {
  const borrowed d(*this);
  return d.it ? d.it->name() : "none";
}

PENSTOCK_ONCE void event_loop::run(detail::loop_work& work) {
  enter inside(*this);
  work_ = &work;
  work.start();
  while (!work.over()) turn();
  work_ = nullptr;
  leave();
}

PENSTOCK_ONCE void event_loop::serve() {
  enter inside(*this);
  while (!(control_.load(detail::memory_order_acquire) & quit_bit)) {
    turn();
    if (work_ && work_->over()) detail::taken(work_)->ended();
  }
  leave();
}

PENSTOCK_ONCE void event_loop::assign(detail::loop_work& work) noexcept {
  assigned_ = &work;
  control_.fetch_or(work_bit, detail::memory_order_release);
  interrupt();
}

PENSTOCK_ONCE void event_loop::request_stop() noexcept {
  control_.fetch_or(stop_bit, detail::memory_order_release);
  interrupt();
}

PENSTOCK_ONCE void event_loop::quit() noexcept {
  control_.fetch_or(quit_bit, detail::memory_order_release);
  interrupt();
}

PENSTOCK_ONCE wall_time event_loop::wall_now() noexcept {
  return wall_time(detail::clock_time(CLOCK_REALTIME));
}

PENSTOCK_ONCE void event_loop::offload(detail::offload_item& item) noexcept { pool_.submit(item); }

PENSTOCK_NOINLINE PENSTOCK_ONCE void event_loop::obey() {
  if (control_.fetch_and(~work_bit, detail::memory_order_acquire) & work_bit) {
    work_ = assigned_;
    work_->start();
  }
  if (!work_) return;
  if (control_.fetch_and(~stop_bit, detail::memory_order_acquire) & stop_bit)
    work_->request_stop(stop_reason::requested);
}

PENSTOCK_ONCE void event_loop::interrupt() const noexcept {
  const borrowed d(*this);
  if (d.it) d.it->interrupt();
}

PENSTOCK_ONCE void event_loop::leave() noexcept {
  while (driver_->wakes_seen() < wakes_announced_) driver_->wait((duration::max)());
  driver_->leave();
}

}  // namespace penstock
