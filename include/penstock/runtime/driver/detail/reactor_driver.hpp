// penstock/runtime/driver/detail/reactor_driver.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The driver on epoll: sockets by the readiness that it remembers, files on the cpu pool.

#include <penstock/runtime/detail/epoll_instance.hpp>
#include <penstock/runtime/detail/lease_desk.hpp>
#include <penstock/runtime/detail/operation_queue.hpp>
#include <penstock/runtime/detail/pool_lane.hpp>
#include <penstock/runtime/detail/readiness_table.hpp>
#include <penstock/runtime/detail/socket_attempts.hpp>
#include <penstock/runtime/driver.hpp>

namespace penstock::detail {

class reactor_driver final : public driver {
 public:
  reactor_driver(cpu_pool& pool, const driver_options& options)
      : lane_(pool, wake_), table_(epoll_), leases_(options, wake_), attempts_(leases_, stats_) {}
  ~reactor_driver() override { leave(); }

  // The negative errno, or 0.
  int start() const noexcept {
    if (wake_.why_not() != 0) return -wake_.why_not();
    if (epoll_.why_not() != 0) return -epoll_.why_not();
    return epoll_.add(wake_.fd(), EPOLLIN, wake_data);
  }

  // As on an older kernel: sleeps are rounded up to milliseconds. For tests.
  void forget_nanoseconds() noexcept { epoll_.forget_nanoseconds(); }

  std::string_view name() const noexcept override { return "reactor"; }

  bool submit(operation& op) noexcept override {
    if (op.kind < operation_kind::connect) return submit_file(op);
    op.answer = 0;  // of a send that is parked: what it has sent so far
    if (closing_) [[unlikely]] {
      op.answer = -ECANCELED;
      return true;
    }
    ++stats_.submitted;
    readiness* s = table_.find(op.fd, op.offset);
    if (!s) [[unlikely]]
      s = begin(op);
    PENSTOCK_ASSERT(!s || ((!s->reading || !is_reader(op)) && (!s->writing || !is_writer(op))),
                    "two operations of one direction on a descriptor");
    if (!s || attempts_(op, *s)) {
      count(op);
      return true;
    }
    park(op, *s);
    return false;
  }

  void cancel(operation& op) noexcept override {
    if (op.in_pool) return pool_lane::cancel(op);
    const auto stage = op.stage.load(memory_order_relaxed);
    if (stage != operation_stage::running && stage != operation_stage::queued) return;
    unpark(op, table_[op.fd]);
    op.stage.store(operation_stage::canceled, memory_order_relaxed);
    if (stage == operation_stage::queued) {
      lease_canceled_ = true;
    } else {
      canceled_.push(op);
    }
  }

  void forget(int fd) noexcept override {
    if (table_.remove(fd)) ++stats_.system_calls;
  }

  void wait(duration at_most) noexcept override {
    epoll_event events[batch];
    int n = 0;
    if (at_most > duration::zero() && !has_work() && lane_.prepare_sleep()) {
      ++stats_.waits;
      n = look(events, at_most);
      lane_.woke_up();
    } else if (parked_ != 0) {
      n = look(events, duration::zero());
    }
    if (has_work()) [[unlikely]]
      work();
    for (int i = 0; i < n; ++i) happened(events[i]);
    for (operation* op = lane_.take(); op;) {
      operation& over = *op;
      op = op->next;
      finish(over);
    }
  }

  void wake() noexcept override { wake_.wake(); }
  void interrupt() noexcept override { wake_.interrupt(); }

  void leave() noexcept override {
    closing_ = true;
    table_.each_parked([this](operation& op) { cancel(op); });
    while (in_flight_ != 0) wait((duration::max)());
    leases_.close();
    closing_ = false;
  }

 private:
  static constexpr int batch = 256;  // events a turn
  static constexpr std::uint64_t wake_data = 0;
  static constexpr std::uint32_t troubles = EPOLLHUP | EPOLLERR;
  static constexpr std::uint32_t ends = troubles | EPOLLRDHUP;
  static constexpr std::uint32_t lets_read = ends | EPOLLIN | EPOLLPRI;
  static constexpr std::uint32_t lets_write = troubles | EPOLLOUT;

  bool submit_file(operation& op) noexcept {
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

  // The slot of a socket that is new here. Null: `answer` says why.
  PENSTOCK_NOINLINE readiness* begin(operation& op) noexcept {
    ++stats_.system_calls;
    const int r = table_.add(op.fd, op.offset);
    if (r < 0) {
      op.answer = r;
      return nullptr;
    }
    readiness& s = table_[op.fd];
    if (r > 0 && op.offset != 0) {
      ++stats_.system_calls;
      s.lasting = !is_plain_stream(op.fd);
    }
    return &s;
  }
  // In a slot until it is over: one operation a direction.
  void park(operation& op, readiness& s) noexcept {
    if (is_writer(op)) {
      s.writing = &op;
      if (is_reader(op)) [[unlikely]]
        s.reading = &op;
    } else {
      s.reading = &op;
    }
    ++in_flight_;
    ++parked_;
    if (op.stage.load(memory_order_relaxed) == operation_stage::idle)
      op.stage.store(operation_stage::running, memory_order_relaxed);
  }
  void unpark(operation& op, readiness& s) noexcept {
    if (s.reading == &op) s.reading = nullptr;
    if (s.writing == &op) s.writing = nullptr;
    --parked_;
  }
  void finish(operation& op) noexcept {
    op.stage.store(operation_stage::idle, memory_order_relaxed);
    --in_flight_;
    count(op);
    op.complete(op);
  }

  // What need not be waited for.
  bool has_work() const noexcept {
    return !canceled_.empty() || lease_canceled_ || leases_.can_serve();
  }
  PENSTOCK_NOINLINE void work() noexcept {
    if (lease_canceled_) {
      lease_canceled_ = false;
      leases_.move_canceled(canceled_);
    }
    // Who is canceled meanwhile has its turn in the next wait.
    operation_queue now = canceled_;
    canceled_ = {};
    while (!now.empty()) {
      operation& op = now.pop();
      if (op.answer == 0) op.answer = -ECANCELED;
      finish(op);
    }
    if (!leases_.can_serve()) return;
    leases_.serve(canceled_, [this](operation& op, lease_slot& slot) {
      readiness& s = table_[op.fd];
      if (!attempts_.receive_into(op, s, slot)) return;
      unpark(op, s);
      finish(op);
    });
  }

  int look(epoll_event* events, duration at_most) noexcept {
    ++stats_.system_calls;
    return epoll_.wait(events, batch, at_most);
  }
  void happened(const epoll_event& e) noexcept {
    const std::uint64_t data = e.data.u64;
    if (data == wake_data) [[unlikely]]
      return woken();
    readiness* s = table_.of_event(data);
    if (!s) [[unlikely]]
      return;
    if (e.events & lets_read) {
      s->readable = true;
      if (e.events & (ends | EPOLLPRI)) s->lasting = true;
      if (operation* const op = s->reading; op && attempts_(*op, *s)) {
        unpark(*op, *s);
        finish(*op);
        s = table_.of_event(data);  // it may have grown, or forgotten this one
        if (!s) return;
      }
    }
    if (e.events & lets_write) {
      s->writable = true;
      if (operation* const op = s->writing; op && attempts_(*op, *s)) [[unlikely]] {
        unpark(*op, *s);
        finish(*op);
      }
    }
  }
  void woken() noexcept {
    std::uint64_t value = 0;
    ++stats_.system_calls;
    if (::read(wake_.fd(), &value, sizeof value) > 0) wakes_seen_ += wake_event::counted(value);
  }

  wake_event wake_;
  pool_lane lane_;
  epoll_instance epoll_;
  readiness_table table_;
  lease_desk leases_;
  socket_attempts attempts_;
  operation_queue canceled_;  // to be completed
  std::size_t parked_ = 0;    // operations in the table
  bool lease_canceled_ = false;
  bool closing_ = false;
};

}  // namespace penstock::detail
