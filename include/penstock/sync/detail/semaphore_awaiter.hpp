// penstock/sync/detail/semaphore_awaiter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The awaiter of a semaphore, and its members that look at those who wait. Included by
/// semaphore.hpp only.

#include <penstock/sync/semaphore.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>

namespace penstock {

/// The awaiter of `acquire()`.
template <class Policy>
class [[nodiscard]] basic_semaphore<Policy>::acquire_awaiter
    : public detail::primitive_leaf<acquire_awaiter> {
 public:
  acquire_awaiter(basic_semaphore& s, std::size_t n) noexcept
      : semaphore_(&s), n_((n <= max_permits ? n : max_permits + 1) | unclaimed) {
    check_count(n);
  }

  bool await_ready() noexcept {
    const std::size_t n = n_ & ~unclaimed;
    if (n > 1 && semaphore_->never(n)) [[unlikely]]
      return false;
    if (semaphore_->looks_frozen()) {  // others wait
      n_ = n | uncounted;
      return false;
    }
    const auto before = semaphore_->state_.fetch_sub(signed_count(n), detail::memory_order_acquire);
    n_ = n;
    if (before >= signed_count(n)) [[likely]]
      return true;
    if (is_frozen(before)) n_ |= uncounted;
    return false;
  }
  [[nodiscard]] result<permit> await_resume() noexcept {
    this->end();
    if (n_ & refused) [[unlikely]]
      return why_not();
    return result<permit>(tl::in_place, *semaphore_, n_);
  }

 protected:
  // In the place of await_resume() where nothing can be refused.
  permit acquired() noexcept {
    this->end();
    return permit(*semaphore_, n_);
  }

 private:
  friend basic_semaphore;
  friend detail::primitive_leaf<acquire_awaiter>;

  // In n_, until try_now(): the claim is not even in state_; it is not in the balance.
  static constexpr std::size_t unclaimed = std::size_t{1} << 63;
  static constexpr std::size_t uncounted = std::size_t{1} << 62;
  // In n_, at the end: there is no claim any more.
  static constexpr std::size_t refused = std::size_t{1} << 61;
  static constexpr std::size_t was_closed = std::size_t{1} << 60;

  bool try_now(detail::wake_list& wake) noexcept {
    auto& s = *semaphore_;
    if ((n_ & uncounted) && s.frozen_ && !s.closed_ && !s.waiters_.empty()) [[likely]] {
      const std::size_t n = n_ & ~uncounted;  // behind others: joined() counts it
      if (n == 1 || !s.never(n)) return false;
    }
    const std::size_t flags = n_ & (unclaimed | uncounted);
    n_ &= ~flags;
    if (flags == unclaimed) s.add(-signed_count(n_));
    if (flags == uncounted) s.count(-signed_count(n_));
    if (s.closed_ || s.never(n_)) {
      const std::size_t n = n_;
      refuse(s.closed_ ? errc::closed : errc::never_satisfiable);
      s.add(signed_count(n));
      s.settle(wake);
      return true;
    }
    s.freeze();
    // The permits may have come meanwhile.
    if (!s.waiters_.empty() || s.free() < 0) return false;
    s.thaw();
    return true;
  }
  void joined(detail::wake_list& wake) noexcept {
    auto& s = *semaphore_;
    const bool counted = count_in();
    s.claimed_ += signed_count(n_);
    PENSTOCK_ASSERT(s.claimed_ < -(frozen / 2), "more is claimed than can be counted");
    // Its claim, on its way to the lock, may have been in the way of the first.
    if (counted) s.settle(wake);
  }
  void left(detail::wake_list& wake) noexcept {
    semaphore_->claimed_ -= signed_count(n_);
    drop(wake);
  }
  void drop(detail::wake_list& wake) noexcept {
    if (n_ & refused) return;
    count_in();
    semaphore_->add(signed_count(n_));
    semaphore_->settle(wake);
  }
  // False: its claim was not in the balance, and is now.
  bool count_in() noexcept {
    if (!(n_ & uncounted)) return true;
    n_ &= ~uncounted;
    semaphore_->balance_ -= signed_count(n_);
    return false;
  }
  void refuse(errc why) noexcept {
    n_ |= why == errc::closed ? refused | was_closed : refused;
    most_ = semaphore_->capacity();
    name_ = semaphore_->options_.name;
  }
  PENSTOCK_NOINLINE tl::unexpected<error> why_not() const noexcept {
    if (n_ & was_closed) return fail(errc::closed, name_);
    const std::size_t n = n_ & ~refused;
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "%s%zu of %zu permits", n > max_permits ? "over " : "",
                  (std::min)(n, max_permits), most_);
    return fail(errc::never_satisfiable, name_, numbers);
  }
  auto& lock() noexcept { return semaphore_->lock_; }
  detail::waiter_list& list() noexcept { return semaphore_->waiters_; }
  const char* what() const noexcept { return semaphore_->options_.name; }
  const void* object() const noexcept { return semaphore_; }

  basic_semaphore* semaphore_;
  std::size_t n_;
  // What refused it: the semaphore may be gone when it is told. Not initialised before.
  std::size_t most_;
  const char* name_;
};

template <class Policy>
std::size_t basic_semaphore<Policy>::waiting() const noexcept {
  std::size_t count = 0;
  lock_.lock();
  for (auto at = waiters_.begin(); at != waiters_.end(); ++at) ++count;
  lock_.unlock();
  return count;
}

template <class Policy>
void basic_semaphore<Policy>::resize(std::size_t permits) noexcept {
  check_capacity(permits);
  detail::wake_section section(lock_);
  const auto more = signed_count(permits) - signed_count(capacity());
  capacity_.store(permits, detail::memory_order_relaxed);
  add(more);
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    auto& parked = *at;
    ++at;
    if (never(acquire_awaiter::owner_of(parked).n_))
      refuse(parked, errc::never_satisfiable, section.wake);
  }
  settle(section.wake);
}

template <class Policy>
void basic_semaphore<Policy>::close() noexcept {
  detail::wake_section section(lock_);
  if (closed_) return;
  closed_ = true;
  freeze();
  while (auto* const first = waiters_.front()) refuse(*first, errc::closed, section.wake);
}

template <class Policy>
bool basic_semaphore<Policy>::closed() const noexcept {
  lock_.lock();
  const bool is = closed_;
  lock_.unlock();
  return is;
}

}  // namespace penstock
