// penstock/io/detail/receiver.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What receives for a socket whose bytes come as leases: an operation that goes on for as long as
/// the driver lets it, and the leases that nobody has taken yet.

#include <penstock/base/taken.hpp>
#include <penstock/core/awaitable.hpp>
#include <penstock/core/frame_allocator.hpp>
#include <penstock/core/scheduler.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/lease_store.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

namespace penstock::detail {
struct open_socket;
// An operation of the socket is over: a close() may wait for that.
void operation_left(open_socket& s) noexcept;
// The same of one that waited for the socket's receiver.
void receiver_left(open_socket& s) noexcept;

// One waiter at a time. Its address is the operation's, so it stands apart from the socket; it
// lives until the driver has let go of it.
class receiver final : operation {
 public:
  // One that waits for bytes; posted when there are some, or the end. It counts as an operation of
  // the socket until its awaiter has looked at the receiver.
  class ticket final : public stop_node {
   public:
    explicit ticket(open_socket& s) noexcept : socket_(&s) {}
    ticket(const ticket& o) noexcept : stop_node(), socket_(o.socket_) {}  // before it starts
    ~ticket() { leave(); }
    [[nodiscard]] open_socket& socket() const noexcept { return *socket_; }
    // For what `r`, the socket's, receives. At once, when there is no need to wait.
    suspension wait(receiver& r, waiter& w) noexcept {
      PENSTOCK_ASSERT(!r.waiting_, "one receive of a socket at a time");
      if (!w.env->stop->try_add(*this)) return stopped_now(w);
      who_ = &w;
      r.waiting_ = this;
      waits_ = true;
      if (!r.arm(*w.env->sched)) return parked();
      told_ = true;
      scope_stop::remove(*this);
      if (w.env->sched->io_driver()->take_inline_result()) return resume_now(w);
      w.env->sched->post(w);
      return parked();
    }
    // In await_resume().
    void leave() noexcept {
      scope_stop::remove(*this);
      if (detail::exchanged(waits_, false)) receiver_left(*socket_);
    }

   private:
    friend receiver;
    void tell() noexcept {
      if (detail::exchanged(told_, true)) return;
      scope_stop::remove(*this);
      who_->env->sched->post(*who_);
    }
    void on_stop() noexcept override {
      told_ = true;
      who_->env->sched->post_stopped(*who_);
    }
    wait_info info() const noexcept override { return {"receive", nullptr, who_}; }

    waiter* who_ = nullptr;
    open_socket* socket_;
    bool waits_ = false;
    bool told_ = false;  // posted
  };

  // Null when memory is out.
  static receiver* create(int fd, std::uint64_t number) noexcept {
    try {
      return ::new (frame_allocate(sizeof(receiver))) receiver(fd, number);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }
  // The socket goes: drops what was not taken.
  void abandon() noexcept {
    PENSTOCK_ASSERT(!waiting_, "a socket goes while a receive of it is in flight");
    while (has_bytes()) drop();
    if (!armed_) return destroy();
    PENSTOCK_ASSERT(scheduler::current() && scheduler::current()->io_driver() == driver_,
                    "a socket that receives goes on another loop: release() it");
    abandoned_ = true;
    driver_->cancel(*this);
  }
  // The socket is closed while somebody waits.
  void close() noexcept {
    if (end_ > 0) end_ = -ECANCELED;
    if (waiting_) waiting_->tell();
  }

  // Whether something is there: bytes, the end, an error.
  [[nodiscard]] bool ready() const noexcept { return has_bytes() || end_ <= 0; }
  [[nodiscard]] bool has_bytes() const noexcept { return last_ || spilled_; }
  [[nodiscard]] bool armed() const noexcept { return armed_; }
  [[nodiscard]] bool waited_for() const noexcept { return waiting_ != nullptr; }
  // Nobody waits any more.
  void left() noexcept { waiting_ = nullptr; }
  // 0: the peer has ended; negative: the errno. Where there are no bytes.
  [[nodiscard]] int end() const noexcept { return end_; }
  // Whether a read of it has a result with a value.
  [[nodiscard]] bool fulfils() const noexcept { return has_bytes() || end_ >= 0; }
  // Where there are bytes: the oldest, and all of them.
  buffer take() noexcept {
    --held_;
    if (!last_) [[unlikely]]
      return take_spilled();
    lease_slot& s = *last_->next;
    if (&s == last_)
      last_ = nullptr;
    else
      last_->next = s.next;
    buffer b = s.lend();
    b.remove_prefix(detail::exchanged(used_, 0));
    return b;
  }
  void drop() noexcept { const buffer ended = take(); }
  // Copies at most `n` of the oldest.
  std::size_t copy(std::byte* to, std::size_t n) noexcept {
    if (!last_) [[unlikely]]
      return copy_spilled(to, n);
    const lease_slot& s = *last_->next;
    if (const std::size_t there = s.length - used_; n > there) n = there;
    std::memcpy(to, s.bytes + used_, n);
    used_ += static_cast<std::uint32_t>(n);
    if (used_ == s.length) drop();
    return n;
  }

 private:
  // What was received while the loop's buffers were few.
  struct copied {
    explicit copied(buffer&& b) noexcept : bytes(std::move(b)) {}
    buffer bytes;
    copied* next = nullptr;
  };
  // A socket that is read slowly holds no more: the others need buffers too.
  static constexpr unsigned most_held = 8;

  receiver(int descriptor, std::uint64_t number) noexcept
      : operation(operation_kind::receive_lease) {
    fd = descriptor;
    offset = number;
    complete = [](operation& op) noexcept { static_cast<receiver&>(op).arrived(); };
  }
  ~receiver() = default;
  void destroy() noexcept {
    this->~receiver();
    frame_free(this, sizeof(receiver));
  }

  // True: something is there already.
  bool arm(scheduler& s) noexcept {
    if (armed_) {
      PENSTOCK_ASSERT(driver_ == s.io_driver(), "a socket is used on two loops: release() it");
      return false;
    }
    driver_ = s.io_driver();
    if (!driver_) [[unlikely]]
      stop_program("I/O on a loop without a driver: use penstock::runtime");
    armed_ = true;
    if (!driver_->submit(*this)) return false;
    armed_ = false;
    note();
    if (answer == -ECANCELED) end_ = answer;  // the loop has ended
    if (!ready()) return arm(s);
    return true;
  }
  void note() noexcept {
    if (answer > 0) {
      auto& s = *static_cast<lease_slot*>(other);
      const bool unread = !waiting_ || waiting_->told_;
      if (spilled_ || (unread && s.scarce())) [[unlikely]]
        return spill(s);
      s.next = last_ ? last_->next : &s;
      if (last_) last_->next = &s;
      last_ = &s;
      ++held_;
    } else if (answer != -ECANCELED && answer != -EINTR) {
      end_ = answer;
    }
  }
  // Nobody waits for these bytes, and the loop's buffers are few: those who do wait need them.
  PENSTOCK_NOINLINE void spill(lease_slot& s) noexcept {
    const buffer lease = s.lend();
    try {
      auto* const newest = new copied(buffer::copy_of(lease.bytes()));
      newest->next = spilled_ ? spilled_->next : newest;
      if (spilled_) spilled_->next = newest;
      spilled_ = newest;
      ++held_;
    } catch (const std::bad_alloc&) {
      end_ = -ENOMEM;  // behind what is there
    }
  }
  buffer take_spilled() noexcept {
    copied* const oldest = spilled_->next;
    if (oldest == spilled_)
      spilled_ = nullptr;
    else
      spilled_->next = oldest->next;
    buffer b = std::move(oldest->bytes);
    delete oldest;
    return b;
  }
  std::size_t copy_spilled(std::byte* to, std::size_t n) noexcept {
    buffer& b = spilled_->next->bytes;
    if (n > b.size()) n = b.size();
    std::memcpy(to, b.data(), n);
    b.remove_prefix(n);
    if (b.empty()) drop();
    return n;
  }
  void arrived() noexcept {
    armed_ = more;
    note();
    if (abandoned_) [[unlikely]] {
      while (has_bytes()) drop();
      if (!armed_) destroy();
      return;
    }
    if (!armed_) pausing_ = false;
    if (ready()) {
      if (waiting_) waiting_->tell();
      if (armed_ && held_ >= most_held && !pausing_) {
        pausing_ = true;
        driver_->cancel(*this);
      }
    } else if (!armed_ && waiting_ && !waiting_->told_) {
      scheduler& s = *waiting_->who_->env->sched;
      if (arm(s)) waiting_->tell();
    }
  }

  lease_slot* last_ = nullptr;  // of a ring: its next is the first
  copied* spilled_ = nullptr;   // the same of those behind
  ticket* waiting_ = nullptr;
  driver* driver_ = nullptr;  // while armed_
  std::uint32_t used_ = 0;    // of the first lease's bytes, by copy()
  int end_ = 1;
  std::uint16_t held_ = 0;
  bool armed_ = false;      // with the driver
  bool pausing_ = false;    // enough is held: it was cancelled
  bool abandoned_ = false;  // the socket is gone
};

}  // namespace penstock::detail
