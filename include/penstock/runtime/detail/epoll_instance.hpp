// penstock/runtime/detail/epoll_instance.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// An epoll instance whose sleep is never shorter than it was asked for.

#include <penstock/base/clock.hpp>
#include <penstock/base/config.hpp>
#include <penstock/base/lesser.hpp>

#include <sys/epoll.h>
#include <unistd.h>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <ctime>

namespace penstock::detail {

class epoll_instance {
 public:
  epoll_instance() noexcept : fd_(::epoll_create1(EPOLL_CLOEXEC)), errno_(fd_ < 0 ? errno : 0) {}
  epoll_instance(const epoll_instance&) = delete;
  epoll_instance& operator=(const epoll_instance&) = delete;
  ~epoll_instance() {
    if (fd_ >= 0) ::close(fd_);
  }

  // Why there is none, or 0.
  [[nodiscard]] int why_not() const noexcept { return errno_; }
  // Registers `fd`, or again: what it is ready for by now is an event. The negative errno, or 0.
  int add(int fd, std::uint32_t events, std::uint64_t data) const noexcept {
    epoll_event e{};
    e.events = events;
    e.data.u64 = data;
    if (::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &e) == 0) return 0;
    if (errno == EEXIST && ::epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &e) == 0) return 0;
    return -errno;
  }
  void remove(int fd) const noexcept {
    epoll_event e{};  // kernels before 2.6.9 want one
    ::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, &e);
  }
  // How many events there are, at most `room`. Zero: it is time, or a signal came.
  int wait(epoll_event* events, int room, duration at_most) noexcept {
    int n = -1;
    if (nanoseconds_ && at_most > duration::zero() && at_most != (duration::max)()) {
      timespec limit{};
      limit.tv_sec = static_cast<time_t>(at_most.count() / 1'000'000'000);
      limit.tv_nsec = static_cast<long>(at_most.count() % 1'000'000'000);
      n = ::epoll_pwait2(fd_, events, room, &limit, nullptr);
      // EPERM: forbidden to containers that know only older kernels.
      if (n < 0 && (errno == ENOSYS || errno == EPERM)) nanoseconds_ = false;
      if (n >= 0 || nanoseconds_) return detail::larger(n, 0);
    }
    n = ::epoll_wait(fd_, events, room, milliseconds(at_most));
    return detail::larger(n, 0);
  }
  // Rounded up; -1: for ever.
  static int milliseconds(duration d) noexcept {
    if (d == (duration::max)()) return -1;
    const auto ns = d.count();
    const auto ms = ns / 1'000'000 + (ns % 1'000'000 > 0 ? 1 : 0);
    return ms < INT_MAX ? static_cast<int>(ms) : INT_MAX;
  }
  // As on kernels before 5.11. For tests.
  void forget_nanoseconds() noexcept { nanoseconds_ = false; }

 private:
  int fd_;
  int errno_;
  // ThreadSanitizer delivers signals in epoll_wait, not in epoll_pwait2, which it does not know.
  bool nanoseconds_ = PENSTOCK_TSAN == 0;
};

}  // namespace penstock::detail
