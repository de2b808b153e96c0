// penstock/pool/memory_budget.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A limit in bytes over things of any size that are in memory at once. For equal buffers use
/// buffer_pool.hpp.

#include <penstock/sync/semaphore.hpp>

#include <algorithm>
#include <cstdio>

namespace penstock {

/// What `memory_budget::reserve` does with more than the whole budget.
enum class oversize : unsigned char {
  run_alone,  ///< waits for all of the budget: nothing else is in memory beside it
  reject,     ///< `errc::never_satisfiable`
};

/// Options of `memory_budget`.
struct memory_budget_options {
  std::size_t bytes = 64u << 20;  ///< in all, at least 1
  double high_water = 1.0;        ///< the part of them that may be reserved: above 0, at most 1
  penstock::oversize oversize = penstock::oversize::run_alone;
};
static_assert(std::is_trivially_copyable_v<memory_budget_options>);
[[nodiscard]] result<> validate(const memory_budget_options& o);

/// Counts of a `memory_budget`.
struct memory_budget_stats {
  std::size_t limit = 0;     ///< bytes that may be reserved
  std::size_t reserved = 0;  ///< bytes; above the limit while an oversize item runs alone
  std::size_t peak = 0;      ///< most bytes that were reserved at once
  std::size_t waiting = 0;   ///< tasks that wait
};

class memory_budget;

/// Reserved bytes, given back when it ends.
///
/// **Shape.** n bytes -> (shrink_to: the estimate becomes the real size) -> 0.
/// **Thread-safety.** distinct: safe; same object: one owner. It may end on any thread.
/// **Lifetime.** the budget outlives it.
class [[nodiscard("the bytes return when this object ends")]] budget_lease {
 public:
  /// Nothing reserved.
  constexpr budget_lease() noexcept = default;
  budget_lease(budget_lease && other) noexcept
      : budget_(other.budget_),
        permit_(std::move(other.permit_)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  budget_lease& operator=(budget_lease&& other) noexcept {
    if (this != &other) {
      release();
      budget_ = other.budget_;
      permit_ = std::move(other.permit_);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~budget_lease() { release(); }

  /// Bytes that it holds.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Gives back what is above `bytes`; it cannot grow.
  void shrink_to(std::size_t bytes) noexcept;
  /// Gives all back now.
  void release() noexcept { shrink_to(0); }

 private:
  friend memory_budget;
  budget_lease(memory_budget & b, semaphore_permit && p, std::size_t bytes) noexcept;

  memory_budget* budget_ = nullptr;
  semaphore_permit permit_;  // fewer than bytes_ when they are more than the budget
  std::size_t bytes_ = 0;
};

/// A semaphore whose permits are bytes.
///
/// **Shape.** 0 <= reserved <= limit, or one item above the limit alone; a FIFO queue of waiters.
/// **Errors.** invalid options stop the program, naming the option.
/// **Ordering.** first come, first served: small requests do not overtake a large one.
/// **Thread-safety.** any thread, the same object too.
/// **Complexity.** O(1), no allocation but for the text of an error.
/// **Lifetime.** outlives its leases; destroying it while tasks wait asserts: `close()` first.
/// **Example.** @snippet tests/pool/memory_budget_test.cpp memory_budget
/// **See also.** `buffer_pool`, `semaphore`.
class memory_budget {
 public:
  class reserve_awaiter;

  explicit memory_budget(memory_budget_options o = {}) noexcept
      : options_(checked(o)), free_(limit_of(o), {.name = "memory_budget::reserve"}) {}

  /// Waits until `bytes` can be reserved.
  ///
  /// **Parameters.** `bytes` - an estimate is enough: `budget_lease::shrink_to` gives the rest
  /// back. Nothing has to be reserved for 0.
  /// **Result.** `result<budget_lease>`.
  /// **Errors.** `errc::never_satisfiable` for more than the limit with `oversize::reject`;
  /// `errc::closed`.
  /// **Suspends.** only if fewer are free or somebody waits already; resumes on the waiting task's
  /// loop.
  /// **Cancellation.** takes nothing and lets those behind it go on.
  [[nodiscard]] reserve_awaiter reserve(std::size_t bytes) noexcept;
  /// A lease, if it can be had without waiting.
  [[nodiscard]] std::optional<budget_lease> try_reserve(std::size_t bytes) noexcept;
  /// Ends all waits, and later ones at once, with `errc::closed`; leases stay valid.
  void close() noexcept { free_.close(); }

  /// Bytes that may be reserved.
  [[nodiscard]] std::size_t limit() const noexcept { return free_.capacity(); }
  /// Bytes that are reserved now.
  [[nodiscard]] std::size_t reserved() const noexcept {
    return reserved_.load(detail::memory_order_relaxed);
  }
  [[nodiscard]] memory_budget_stats stats() const noexcept {
    return {limit(), reserved(), peak_.load(detail::memory_order_relaxed), free_.waiting()};
  }

 private:
  friend budget_lease;

  static memory_budget_options checked(const memory_budget_options& o) {
    if (auto valid = validate(o); !valid) detail::stop_program(valid.error().message().c_str());
    return o;
  }
  static std::size_t limit_of(const memory_budget_options& o) noexcept {
    if (o.high_water >= 1) return o.bytes;
    const auto part = static_cast<double>(o.bytes) * o.high_water;
    return (std::max)(static_cast<std::size_t>(part), std::size_t{1});
  }
  [[nodiscard]] std::size_t permits_for(std::size_t bytes) const noexcept {
    return options_.oversize == oversize::run_alone ? (std::min)(bytes, limit()) : bytes;
  }
  void note(std::size_t more) noexcept {
    const std::size_t now = reserved_.fetch_add(more, detail::memory_order_relaxed) + more;
    std::size_t peak = peak_.load(detail::memory_order_relaxed);
    while (peak < now && !peak_.compare_exchange_weak(peak, now, detail::memory_order_relaxed)) {
    }
  }

  const memory_budget_options options_;
  semaphore free_;
  detail::atomic<std::size_t> reserved_{0};  // statistics: no order
  detail::atomic<std::size_t> peak_{0};
};

/// The awaiter of `reserve()`.
class [[nodiscard]] memory_budget::reserve_awaiter : public leaf<reserve_awaiter> {
 public:
  reserve_awaiter(memory_budget& b, std::size_t bytes) noexcept
      : budget_(&b),
        bytes_(bytes),
        permit_(b.free_, bytes ? b.permits_for(bytes) : std::size_t{1}) {}

  bool await_ready() noexcept { return bytes_ == 0 || permit_.await_ready(); }
  suspension start(waiter& w) noexcept { return permit_.start(w); }
  [[nodiscard]] result<budget_lease> await_resume() noexcept {
    if (bytes_ == 0) return budget_lease();
    auto permit = permit_.await_resume();
    if (!permit) [[unlikely]]
      return why_not(permit.error());
    return budget_lease(*budget_, std::move(*permit), bytes_);
  }

 private:
  PENSTOCK_NOINLINE tl::unexpected<error> why_not(const error& e) const noexcept {
    if (e != errc::never_satisfiable) return fail(e);
    char numbers[64];
    std::snprintf(numbers, sizeof numbers, "%zu of %zu bytes", bytes_, budget_->limit());
    return fail(errc::never_satisfiable, "memory_budget::reserve", numbers);
  }

  memory_budget* budget_;
  std::size_t bytes_;
  semaphore::acquire_awaiter permit_;
};

inline result<> validate(const memory_budget_options& o) {
  const char* what = nullptr;
  if (o.bytes == 0) what = "bytes is 0";
  if (o.bytes > semaphore::max_permits) what = "bytes is too large";
  if (!(o.high_water > 0 && o.high_water <= 1)) what = "high_water is not in (0, 1]";
  if (what) return fail(errc::invalid_option, "memory_budget_options", what);
  return {};
}

inline memory_budget::reserve_awaiter memory_budget::reserve(std::size_t bytes) noexcept {
  return reserve_awaiter(*this, bytes);
}

inline std::optional<budget_lease> memory_budget::try_reserve(std::size_t bytes) noexcept {
  if (bytes == 0) return budget_lease();
  auto permit = free_.try_acquire(permits_for(bytes));
  if (!permit) return std::nullopt;
  return budget_lease(*this, std::move(*permit), bytes);
}

inline budget_lease::budget_lease(memory_budget& b, semaphore_permit&& p,
                                  std::size_t bytes) noexcept
    : budget_(&b), permit_(std::move(p)), bytes_(bytes) {
  b.note(bytes);
}

inline void budget_lease::shrink_to(std::size_t bytes) noexcept {
  if (bytes >= bytes_) return;
  budget_->reserved_.fetch_sub(bytes_ - bytes, detail::memory_order_relaxed);
  bytes_ = bytes;
  if (bytes < permit_.count()) permit_.split(permit_.count() - bytes).release();
}

}  // namespace penstock
