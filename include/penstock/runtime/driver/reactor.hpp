// penstock/runtime/driver/reactor.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The driver for kernels and containers without io_uring: files on the cpu pool.

#include <penstock/base/result.hpp>
#include <penstock/runtime/detail/pool_lane.hpp>
#include <penstock/runtime/driver.hpp>

#include <poll.h>
#include <memory>

namespace penstock {
namespace detail {

class reactor_driver final : public driver {
 public:
  explicit reactor_driver(cpu_pool& pool) : lane_(pool, wake_) {}

  // The negative errno, or 0.
  int start() const noexcept { return -wake_.why_not(); }

  std::string_view name() const noexcept override { return "reactor"; }
  bool submit(operation& op) noexcept override {
    ++stats_.submitted;
    if (op.kind == operation_kind::nop) {
      op.answer = 0;
      count(op);
      return true;
    }
    ++in_flight_;
    lane_.submit(op);
    return false;
  }
  void cancel(operation& op) noexcept override {
    if (op.in_pool) pool_lane::cancel(op);
  }
  void wait(duration at_most) noexcept override {
    if (at_most > duration::zero() && lane_.prepare_sleep()) {
      sleep(at_most);
      lane_.woke_up();
    }
    for (operation* op = lane_.take(); op;) {
      operation* const following = op->next;
      op->stage.store(operation_stage::idle, memory_order_relaxed);
      --in_flight_;
      count(*op);
      op->complete(*op);
      op = following;
    }
  }
  void wake() noexcept override { wake_.wake(); }
  void interrupt() noexcept override { wake_.interrupt(); }
  void leave() noexcept override {
    while (in_flight_ != 0) wait((duration::max)());
  }

 private:
  void sleep(duration at_most) noexcept {
    timespec limit{};
    timespec* until = nullptr;
    if (at_most != (duration::max)()) {
      limit.tv_sec = static_cast<time_t>(at_most / std::chrono::seconds(1));
      limit.tv_nsec = static_cast<long>((at_most % std::chrono::seconds(1)).count());
      until = &limit;
    }
    ++stats_.waits;
    ++stats_.system_calls;
    pollfd p{wake_.fd(), POLLIN, 0};
    if (::ppoll(&p, 1, until, nullptr) <= 0) return;
    std::uint64_t value = 0;
    ++stats_.system_calls;
    if (::read(wake_.fd(), &value, sizeof value) > 0) wakes_seen_ += wake_event::counted(value);
  }

  wake_event wake_;
  pool_lane lane_;
};
}  // namespace detail

/// Makes a driver that needs nothing special of the kernel.
///
/// **Parameters.** `pool` - executes the operations on files.
/// **Errors.** the errno of eventfd.
/// **Lifetime.** `pool` must outlive it.
[[nodiscard]] inline result<std::unique_ptr<driver>> make_reactor_driver(cpu_pool& pool) {
  auto made = std::make_unique<detail::reactor_driver>(pool);
  if (const int r = made->start(); r < 0) return fail(errno_error(-r), "start the reactor");
  return made;
}

}  // namespace penstock
