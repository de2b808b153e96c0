// penstock/pool/buffer_pool.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A bounded number of equal, aligned buffers: the memory of I/O, and its backpressure. For a limit
/// in bytes over things of any size use memory_budget.hpp.

#include <penstock/base/buffer.hpp>
#include <penstock/sync/semaphore.hpp>

#include <memory>

namespace penstock {

/// What happens to the bytes of a buffer that comes back.
enum class scrub : unsigned char { none, zero };

/// Options of `buffer_pool`.
struct buffer_pool_options {
  std::size_t buffer_size = 64u << 10;  ///< bytes of each, at least 1
  std::size_t count = 16;               ///< buffers, at least 1
  std::size_t alignment = 4096;         ///< of each, a power of two; 4096 serves direct I/O
  penstock::scrub scrub = penstock::scrub::none;
};
static_assert(std::is_trivially_copyable_v<buffer_pool_options>);
[[nodiscard]] result<> validate(const buffer_pool_options& o);

/// Counts of a `buffer_pool`.
struct buffer_pool_stats {
  std::size_t count = 0;    ///< buffers in all
  std::size_t in_use = 0;   ///< lent now
  std::size_t waiting = 0;  ///< tasks that wait
};

/// Lends buffers; who finds none waits in line.
///
/// **Shape.** free <-> lent. The last slice of a lease gives the buffer back, on any thread.
/// **Errors.** invalid options stop the program, naming the option. Destroying the pool while a
/// buffer is lent asserts.
/// **Ordering.** waiting tasks are served first come, first served; of the free buffers the one
/// that came back last is lent first: it is in the processor's cache.
/// **Thread-safety.** any thread.
/// **Complexity.** a loan is O(1) without an allocation; the memory is allocated by the first loan,
/// once.
/// **Lifetime.** must outlive its buffers.
class buffer_pool {
  struct slot;
  class acquire_awaiter;

 public:
  explicit buffer_pool(buffer_pool_options o = {});
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;
  ~buffer_pool();

  /// Waits for a buffer of `buffer_size()` bytes, whose contents are unspecified unless scrubbed.
  ///
  /// **Result.** `result<buffer>`.
  /// **Errors.** `errc::closed`.
  /// **Suspends.** only if all are lent, or somebody waits already.
  /// **Cancellation.** takes no buffer.
  [[nodiscard]] acquire_awaiter acquire() noexcept;
  /// A buffer, if one is free.
  [[nodiscard]] std::optional<buffer> try_acquire();
  /// Ends all waits, and later ones at once, with `errc::closed`; what is lent stays valid.
  void close() noexcept { free_.close(); }

  [[nodiscard]] std::size_t buffer_size() const noexcept { return options_.buffer_size; }
  [[nodiscard]] std::size_t in_use() const noexcept { return options_.count - free_.available(); }
  [[nodiscard]] buffer_pool_stats stats() const noexcept {
    return {options_.count, in_use(), free_.waiting()};
  }

 private:
  buffer take();
  void put(slot& s) noexcept;
  void make_slots();
  [[nodiscard]] std::size_t stride() const noexcept {
    return (options_.buffer_size + options_.alignment - 1) / options_.alignment *
           options_.alignment;
  }

  buffer_pool_options options_;
  semaphore free_;
  detail::spin_lock lock_;
  std::byte* memory_ = nullptr;  // these guarded by lock_
  std::unique_ptr<slot[]> slots_;
  slot* first_free_ = nullptr;
};

struct buffer_pool::slot : buffer_owner {
  slot() noexcept
      : buffer_owner([](buffer_owner* o) noexcept {
          auto& s = static_cast<slot&>(*o);
          s.pool->put(s);
        }) {}
  buffer_pool* pool = nullptr;
  std::byte* bytes = nullptr;
  slot* next = nullptr;
};

class [[nodiscard]] buffer_pool::acquire_awaiter : public leaf<acquire_awaiter> {
 public:
  explicit acquire_awaiter(buffer_pool& p) noexcept : pool_(&p), permit_(p.free_.acquire()) {}
  bool await_ready() noexcept { return permit_.await_ready(); }
  suspension start(waiter& w) noexcept { return permit_.start(w); }
  [[nodiscard]] result<buffer> await_resume() {
    auto permit = permit_.await_resume();
    if (!permit) return fail(permit.error().with("buffer_pool::acquire"));
    buffer b = pool_->take();
    permit->forget();
    return b;
  }

 private:
  buffer_pool* pool_;
  decltype(std::declval<semaphore&>().acquire()) permit_;
};

inline result<> validate(const buffer_pool_options& o) {
  const char* what = nullptr;
  if (o.buffer_size == 0) what = "buffer_size is 0";
  if (o.count == 0) what = "count is 0";
  if (o.count > semaphore::max_permits) what = "count is too large";
  if (o.alignment == 0 || (o.alignment & (o.alignment - 1)) != 0)
    what = "alignment is not a power of two";
  if (what) return fail(errc::invalid_option, "buffer_pool_options", what);
  return {};
}

inline buffer_pool::buffer_pool(buffer_pool_options o) : options_(o), free_(o.count) {
  if (auto valid = validate(o); !valid) detail::stop_program(valid.error().message().c_str());
}
inline buffer_pool::~buffer_pool() {
  PENSTOCK_ASSERT(in_use() == 0, "a buffer_pool is destroyed while buffers are lent");
  if (memory_) ::operator delete(memory_, std::align_val_t(options_.alignment));
}
inline buffer_pool::acquire_awaiter buffer_pool::acquire() noexcept {
  return acquire_awaiter(*this);
}
inline std::optional<buffer> buffer_pool::try_acquire() {
  auto permit = free_.try_acquire();
  if (!permit) return std::nullopt;
  buffer b = take();
  permit->forget();
  return b;
}
// The caller holds a permit.
inline buffer buffer_pool::take() {
  lock_.lock();
  if (!slots_) {
    try {
      make_slots();
    } catch (...) {
      lock_.unlock();
      throw;
    }
  }
  slot& s = *first_free_;
  first_free_ = s.next;
  lock_.unlock();
  return buffer::adopt({s.bytes, options_.buffer_size}, s);
}
inline void buffer_pool::make_slots() {
  auto slots = std::make_unique<slot[]>(options_.count);
  memory_ = static_cast<std::byte*>(
      ::operator new(stride() * options_.count, std::align_val_t(options_.alignment)));
  for (std::size_t i = options_.count; i-- > 0;) {
    slots[i].pool = this;
    slots[i].bytes = memory_ + i * stride();
    slots[i].next = first_free_;
    first_free_ = &slots[i];
  }
  slots_ = std::move(slots);
}
inline void buffer_pool::put(slot& s) noexcept {
  if (options_.scrub == scrub::zero) ::explicit_bzero(s.bytes, options_.buffer_size);
  lock_.lock();
  s.next = first_free_;
  first_free_ = &s;
  lock_.unlock();
  free_.release();
}

}  // namespace penstock
