// penstock/runtime/detail/runtime_impl.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Bodies of runtime.hpp.

#include <penstock/runtime/detail/choose_driver.hpp>
#include <penstock/runtime/detail/futex.hpp>
#include <penstock/runtime/detail/open_files.hpp>
#include <penstock/runtime/runtime.hpp>

#include <pthread.h>
#include <unistd.h>
#include <utility>

namespace penstock {
namespace detail {
// Of no other thread of this process; ids of threads that have ended are used again.
inline constinit atomic<std::uint64_t> thread_numbers{0};
inline const thread_local std::uint64_t this_thread_number =
    thread_numbers.fetch_add(1, memory_order_relaxed) + 1;

inline const runtime_options& checked(const runtime_options& o) {
  if (auto valid = validate(o); !valid) stop_program(valid.error().message().c_str());
  return o;
}
inline unsigned cpus(const runtime_options& o) noexcept {
  if (o.cpu_threads) return o.cpu_threads;
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<unsigned>(online) : 1;
}
}  // namespace detail

PENSTOCK_ONCE result<> validate(const runtime_options& o) {
  if (o.threads < 1 || o.threads > 1024) return fail(errc::invalid_option, "runtime", "threads");
  if (o.cpu_threads > 1024) return fail(errc::invalid_option, "runtime", "cpu_threads");
  if (o.driver > driver_kind::reactor) return fail(errc::invalid_option, "runtime", "driver");
  if (o.spin < duration::zero() || o.spin > duration(std::chrono::seconds(1)))
    return fail(errc::invalid_option, "runtime", "spin");
  return validate(o.io);
}
PENSTOCK_ONCE runtime::runtime(runtime_options options)
    : options_(detail::checked(options)), pool_(detail::cpus(options)) {
  detail::raise_open_files();
  loops_.reserve(options_.threads);
  threads_.reserve(options_.threads);
  for (unsigned i = 0; i < options_.threads; ++i)
    loops_.emplace_back(pool_, event_loop_options{.spin = options_.spin});
  start();
}

PENSTOCK_ONCE runtime::running::running(runtime& r)
    : r_(begin(r)), signals_(r.options_.handle_signals ? &r : nullptr) {}
PENSTOCK_ONCE runtime::running::~running() { r_.running_ = false; }
PENSTOCK_ONCE runtime& runtime::running::begin(runtime& r) {
  PENSTOCK_ASSERT(!r.running_, "a runtime runs one task at a time");
  if (r.started_ && r.home_ != detail::this_thread_number) r.start_first();
  r.crew_.forget_stop();
  for (auto& l : r.loops_) l.forget_stop();
  r.running_ = true;
  return r;
}

PENSTOCK_ONCE runtime::~runtime() {
  PENSTOCK_ASSERT(!running_, "a runtime is destroyed during its run");
  for (std::size_t i = 1; i < loops_.size(); ++i)
    if (loops_[i].io()) loops_[i].quit();
  for (const ::pthread_t t : threads_) ::pthread_join(t, nullptr);
}

PENSTOCK_ONCE void runtime::request_stop() noexcept {
  crew_.note_stop();
  for (auto& l : loops_) l.request_stop();
}

PENSTOCK_ONCE void runtime::start() {
  start_first();
  for (std::size_t i = 1; started_ && i < loops_.size(); ++i) start_thread(i);
}

PENSTOCK_ONCE void runtime::start_first() {
  loops_[0].use(nullptr);
  error why;
  auto made = detail::start_driver(options_.driver, pool_, options_.io, why);
  home_ = detail::this_thread_number;
  if (made) {
    loops_[0].use(std::move(made));
  } else {
    started_ = fail(std::move(why));
  }
}

// What a thread is told. Gone when it has said how it started.
struct runtime::thread_order {
  runtime& of;
  std::size_t i;
  driver_kind kind;
};

PENSTOCK_ONCE void* runtime::thread_main(void* order) noexcept {
  const auto [self, i, kind] = *static_cast<const thread_order*>(order);
  ::pthread_setname_np(::pthread_self(), "penstock-loop");
  auto& loop = self.loops_[i];
  error why;
  auto made = detail::make_driver(kind, self.pool_, self.options_.io, why);
  const bool good = static_cast<bool>(made);
  if (good) {
    loop.use(std::move(made));
  } else {
    self.started_ = fail(std::move(why));
  }
  self.live_.store(static_cast<std::uint32_t>(i), detail::memory_order_release);
  detail::futex_wake(self.live_, 1);
  if (good) loop.serve();
  return nullptr;
}

PENSTOCK_ONCE void runtime::start_thread(std::size_t i) {
  auto kind = driver_name() == "uring" ? driver_kind::uring : driver_kind::reactor;
  driver_kind asked = options_.driver;
  const error wrong = detail::driver_from_environment(asked);
  if (kind == driver_kind::uring && !wrong.code() && asked == driver_kind::automatic) kind = asked;
  thread_order order{*this, i, kind};
  ::pthread_t made;
  if (const int r = ::pthread_create(&made, nullptr, &runtime::thread_main, &order); r != 0) {
    started_ = fail(errno_error(r), "start a loop's thread");
    return;
  }
  threads_.emplace_back(made);
  const auto before = static_cast<std::uint32_t>(i - 1);
  while (live_.load(detail::memory_order_acquire) == before) detail::futex_wait(live_, before);
}

PENSTOCK_ONCE void runtime::stop() noexcept { request_stop(); }

}  // namespace penstock
