// penstock/runtime/detail/run_crew_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of run_crew.hpp.

#include <penstock/runtime/detail/futex.hpp>
#include <penstock/runtime/detail/run_crew.hpp>

namespace penstock::detail {

PENSTOCK_ONCE run_host::run_host(run_crew& c, scheduler& s, run_guest* main) noexcept
    : crew_(c), main_(main) {
  env_.sched = &s;
  env_.stop = &stop_;
  env_.services = &services_.group();
  services_.open(env_, this, [](void* self) noexcept {
    static_cast<run_host*>(self)->over_ = true;
    return step{};
  });
  end_.open(*this);
  if (main) main->env = &env_;
}
PENSTOCK_ONCE void run_host::start() {
  if (main_) drive(completed(*main_));
}
PENSTOCK_ONCE std::exception_ptr run_host::thrown() noexcept {
  try {
    services_.rethrow();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}
PENSTOCK_ONCE void run_host::ended() noexcept { crew_.host_ended(); }

PENSTOCK_ONCE step run_host::arrival::done(waiter&, waiter*) noexcept {
  return host_->services_.close();
}
PENSTOCK_ONCE run_crew::run_crew(fixed_vector<event_loop>& loops) noexcept : loops_(loops) {}
PENSTOCK_ONCE run_crew::~run_crew() {
  while (run_guest* const g = waiting_) {
    waiting_ = g->following;
    g->drop();
  }
}
PENSTOCK_ONCE void run_crew::add_main(std::size_t loop, run_guest& g) {
  if (hosts_.size() == 0) {
    hosts_.reserve(loops_.size());
    while (hosts_.size() < loops_.size()) hosts_.emplace_back();
  }
  hosts_[loop].reset(new run_host(*this, loops_[loop], &g));
  ++mains_;
  live_.fetch_add(1, memory_order_relaxed);
}
PENSTOCK_ONCE std::exception_ptr run_crew::run() {
  {
    const std::lock_guard lock(mutex_);
    open_ = true;
    for (std::size_t i = 1; i < hosts_.size(); ++i)
      if (hosts_[i]) assign(i);
    while (run_guest* const g = waiting_) {
      waiting_ = g->following;
      accept(*g);
      loops_[g->where].post(*g);
    }
    last_ = &waiting_;
  }
  loops_[0].run(*hosts_[0]);
  while (const auto n = serving_.load(memory_order_acquire)) futex_wait(serving_, n);
  std::exception_ptr thrown;
  for (auto& h : hosts_) {
    if (h && !thrown) thrown = h->thrown();
    h.reset();
  }
  return thrown;
}
PENSTOCK_ONCE void run_crew::submit(run_guest& g) {
  {
    const std::lock_guard lock(mutex_);
    if (!open_ || stopping_.load(memory_order_acquire)) {
      g.following = nullptr;
      *last_ = &g;
      last_ = &g.following;
      return;
    }
    accept(g);
  }
  loops_[g.where].post(g);  // the run goes on for as long as it is not over
}
PENSTOCK_ONCE void run_crew::main_ended() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (--mains_ == 0) open_ = false;
  }
  guest_ended();
}
PENSTOCK_ONCE void run_crew::guest_ended() noexcept {
  if (live_.fetch_sub(1, memory_order_acq_rel) != 1) return;
  for (auto& h : hosts_)
    if (h) h->end();
}
PENSTOCK_ONCE void run_crew::host_ended() noexcept {
  serving_.fetch_sub(1, memory_order_release);
  futex_wake(serving_, 1);
}
PENSTOCK_ONCE void run_crew::accept(run_guest& g) {
  auto& host = hosts_[g.where];
  if (!host) {
    host.reset(new run_host(*this, loops_[g.where], nullptr));
    assign(g.where);
  }
  live_.fetch_add(1, memory_order_relaxed);
  g.env = &host->env();
}
PENSTOCK_ONCE void run_crew::assign(std::size_t loop) noexcept {
  serving_.fetch_add(1, memory_order_relaxed);
  loops_[loop].assign(*hosts_[loop]);
}

}  // namespace penstock::detail
