// penstock/pool/memory_budget.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A limit in bytes over things of any size that are in memory at once. For equal buffers use
/// buffer_pool.hpp.

#include <penstock/sync/semaphore.hpp>

namespace penstock {

/// What `memory_budget::reserve` does with more than the whole budget.
enum class oversize : unsigned char {
  run_alone,  ///< waits for all of the budget: nothing else runs beside it
  reject,     ///< `errc::never_satisfiable`
};

/// Options of `memory_budget`.
struct memory_budget_options {
  std::size_t bytes = 64u << 20;  ///< in all
  double high_water = 1.0;        ///< the part of it that may be reserved, above 0 and at most 1
  penstock::oversize oversize = penstock::oversize::run_alone;
};
static_assert(std::is_trivially_copyable_v<memory_budget_options>);
[[nodiscard]] result<> validate(const memory_budget_options& o);

/// Counts of a `memory_budget`, in bytes and tasks.
struct memory_budget_stats {
  std::size_t limit = 0;
  std::size_t reserved = 0;
  std::size_t waiting = 0;  ///< tasks
};

/// Reserved bytes, given back when it ends.
///
/// **Shape.** reserved n -> (shrink_to: the estimate becomes the real size) -> 0.
/// **Thread-safety.** one owner; it may end on any thread.
/// **Lifetime.** the budget outlives it.
class [[nodiscard("the bytes return when this object ends")]] budget_lease {
 public:
  budget_lease() noexcept = default;
  /// Bytes that it holds of the budget.
  [[nodiscard]] std::size_t bytes() const noexcept { return permit_.count(); }
  /// Gives back what is above `bytes`.
  void shrink_to(std::size_t bytes) noexcept {
    if (bytes < permit_.count()) permit_.split(permit_.count() - bytes).release();
  }
  void release() noexcept { permit_.release(); }

 private:
  friend class memory_budget;
  explicit budget_lease(semaphore_permit p) noexcept : permit_(std::move(p)) {}
  semaphore_permit permit_;
};

/// A semaphore whose permits are bytes.
///
/// **Ordering.** first come, first served: a large request is not overtaken by small ones.
/// **Errors.** invalid options stop the program, naming the option. Destroying it with waiters
/// asserts.
/// **Thread-safety.** any thread.
/// **Complexity.** O(1), no allocation; `bytes` up to 2^61.
/// **Lifetime.** outlives its leases.
class memory_budget {
  class reserve_awaiter;

 public:
  explicit memory_budget(memory_budget_options o = {}) : options_(checked(o)), free_(limit()) {}

  /// Waits until `bytes` can be reserved.
  ///
  /// **Parameters.** `bytes` - an estimate is enough: `budget_lease::shrink_to` gives the rest
  /// back; 0 counts as 1.
  /// **Result.** `result<budget_lease>`.
  /// **Errors.** `errc::never_satisfiable` for more than the budget with `oversize::reject`;
  /// `errc::closed`.
  /// **Suspends.** only if fewer are free or somebody waits already.
  /// **Cancellation.** takes nothing, and lets those behind it go on.
  [[nodiscard]] reserve_awaiter reserve(std::size_t bytes) noexcept;
  /// A lease, if it can be had without waiting.
  [[nodiscard]] std::optional<budget_lease> try_reserve(std::size_t bytes) noexcept {
    auto permit = free_.try_acquire(clamp(bytes));
    if (!permit) return std::nullopt;
    return budget_lease(std::move(*permit));
  }
  /// Ends all waits, and later ones at once, with `errc::closed`; leases stay valid.
  void close() noexcept { free_.close(); }

  [[nodiscard]] memory_budget_stats stats() const noexcept {
    return {limit(), limit() - free_.available(), free_.waiting()};
  }

 private:
  static memory_budget_options checked(const memory_budget_options& o) {
    if (auto valid = validate(o); !valid) detail::stop_program(valid.error().message().c_str());
    return o;
  }
  [[nodiscard]] std::size_t limit() const noexcept {
    const auto part = static_cast<double>(options_.bytes) * options_.high_water;
    const auto bytes = options_.high_water == 1.0 ? options_.bytes : static_cast<std::size_t>(part);
    return bytes == 0 ? 1 : bytes;
  }
  [[nodiscard]] std::size_t clamp(std::size_t bytes) const noexcept {
    if (bytes == 0) return 1;
    if (options_.oversize == oversize::run_alone && bytes > limit()) return limit();
    return bytes;
  }
  memory_budget_options options_;
  semaphore free_;
};

class [[nodiscard]] memory_budget::reserve_awaiter : public leaf<reserve_awaiter> {
  using permit_awaiter = decltype(std::declval<semaphore&>().acquire());

 public:
  reserve_awaiter(memory_budget& b, std::size_t bytes) noexcept : permit_(b.free_.acquire(bytes)) {}
  bool await_ready() noexcept { return permit_.await_ready(); }
  suspension start(waiter& w) noexcept { return permit_.start(w); }
  [[nodiscard]] result<budget_lease> await_resume() noexcept {
    auto permit = permit_.await_resume();
    if (!permit) return fail(permit.error().with("memory_budget::reserve"));
    return budget_lease(std::move(*permit));
  }

 private:
  permit_awaiter permit_;
};
inline memory_budget::reserve_awaiter memory_budget::reserve(std::size_t bytes) noexcept {
  return reserve_awaiter(*this, clamp(bytes));
}

inline result<> validate(const memory_budget_options& o) {
  const char* what = nullptr;
  if (o.bytes == 0) what = "bytes is 0";
  if (o.bytes > semaphore::max_permits) what = "bytes is too large";
  if (!(o.high_water > 0 && o.high_water <= 1)) what = "high_water is not in (0, 1]";
  if (what) return fail(errc::invalid_option, "memory_budget_options", what);
  return {};
}

}  // namespace penstock
