// penstock/runtime/cpu_pool.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The threads for blocking and for CPU-heavy work: what `offload` runs on, and files where there
/// is no io_uring. Tasks use `offload`; this is its engine.

#include <penstock/core/scheduler.hpp>

#include <cstddef>

namespace penstock {
namespace detail {
class pool_threads;
}  // namespace detail

/// A bounded set of threads that are started when they are needed.
///
/// **Shape.** jobs -> queue (many producers, many consumers) -> threads, at most size().
/// **Ordering.** jobs are begun first come, first served.
/// **Thread-safety.** submit() from any thread.
/// **Complexity.** a submit is one atomic read-modify-write, for a lock that is held for a dozen
/// instructions, and a system call only when a thread sleeps or has to be started. It allocates 4
/// KiB for each 165 jobs that wait at once, and keeps one such piece. A thread without work sleeps
/// and never wakes up.
/// **Lifetime.** all jobs must be over when it is destroyed: it joins its threads.
class cpu_pool {
 public:
  /// What a thread runs: `run(what, where)`.
  using function = void (*)(void* what, void* where) noexcept;

  explicit cpu_pool(unsigned threads);
  cpu_pool(const cpu_pool&) = delete;
  cpu_pool& operator=(const cpu_pool&) = delete;
  ~cpu_pool();

  /// How many threads it may have.
  [[nodiscard]] unsigned size() const noexcept { return size_; }
  /// How many it has.
  [[nodiscard]] std::size_t started() noexcept;

  void submit(detail::offload_item& item) {
    submit([](void* what, void*) noexcept { static_cast<detail::offload_item*>(what)->run(); },
           &item, nullptr);
  }
  void submit(function run, void* what, void* where);

 private:
  const unsigned size_;
  detail::pool_threads* const threads_;  // its own
};

}  // namespace penstock

#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/detail/cpu_pool_impl.hpp>
#endif
