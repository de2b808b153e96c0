// penstock/runtime/detail/wake_event.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The eventfd that ends a driver's sleep.

#include <penstock/base/spin_lock.hpp>

#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>

namespace penstock::detail {

// Counted and uncounted wakes in one counter: the low half counts.
class wake_event {
 public:
  wake_event() noexcept : fd_(::eventfd(0, EFD_CLOEXEC)), errno_(fd_ < 0 ? errno : 0) {}
  wake_event(const wake_event&) = delete;
  wake_event& operator=(const wake_event&) = delete;
  // Who wakes may be seen by the loop before it is out of here.
  ~wake_event() {
    spin_wait waiting;
    while (inside_.load(memory_order_acquire) != 0) waiting.once();
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] int fd() const noexcept { return fd_; }
  // Why there is none, or 0.
  [[nodiscard]] int why_not() const noexcept { return errno_; }
  void wake() const noexcept { add(1); }
  void interrupt() const noexcept { add(std::uint64_t{1} << 32); }
  // The counted wakes in what was read.
  static std::uint64_t counted(std::uint64_t value) noexcept { return value & 0xffff'ffff; }

 private:
  // Leaves errno alone: a signal handler may be the caller.
  void add(std::uint64_t n) const noexcept {
    inside_.fetch_add(1, memory_order_relaxed);
    const int before = errno;
    while (::write(fd_, &n, sizeof n) < 0 && errno == EINTR) {
    }
    errno = before;
    inside_.fetch_sub(1, memory_order_release);
  }
  int fd_;
  int errno_;
  mutable atomic<std::uint32_t> inside_{0};  // threads in add()
};

}  // namespace penstock::detail
