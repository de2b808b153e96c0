// penstock/pool/buffer_pool.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A bounded number of equal, aligned buffers: the memory of I/O, and its backpressure. For a limit
/// in bytes over things of any size use memory_budget.hpp.

#include <penstock/base/buffer.hpp>
#include <penstock/base/registered_memory.hpp>
#include <penstock/sync/semaphore.hpp>

#include <sys/mman.h>
#include <cstring>
#include <memory>
#include <new>

namespace penstock {

/// What happens to the bytes of a buffer that comes back.
enum class scrub : unsigned char {
  none,  ///< they stay until they are overwritten
  zero,  ///< they are overwritten with zeros, which no optimiser removes
};

/// Options of `buffer_pool`.
struct buffer_pool_options {
  std::size_t buffer_size = 64u << 10;  ///< bytes of each, at least 1
  std::size_t count = 16;               ///< buffers, at least 1
  std::size_t alignment = 4096;         ///< of each, a power of two; 4096 serves direct I/O
  penstock::scrub scrub = penstock::scrub::none;
  /// For direct I/O: loops on io_uring have the kernel pin the buffers once, when they are first
  /// used so, instead of for each operation. See `registered_memory`.
  bool registered = false;
};
static_assert(std::is_trivially_copyable_v<buffer_pool_options>);
[[nodiscard]] result<> validate(const buffer_pool_options& o);

/// Counts of a `buffer_pool`.
struct buffer_pool_stats {
  std::size_t count = 0;    ///< buffers in all
  std::size_t in_use = 0;   ///< lent now
  std::size_t peak = 0;     ///< most that were lent at once
  std::size_t waiting = 0;  ///< tasks that wait
};

/// Lends buffers; who finds none waits in line.
///
/// **Shape.** free <-> lent. The last slice of a lease gives the buffer back, on any thread.
/// **Errors.** invalid options stop the program, naming the option.
/// **Ordering.** waiting tasks are served first come, first served; of the free buffers the one
/// that came back last is lent first: it is in the processor's cache.
/// **Thread-safety.** any thread, the same object too.
/// **Memory order.** all uses of a buffer happen before it is lent again.
/// **Complexity.** O(1); one allocation, by the first loan, for all buffers: the system commits
/// their pages when they are first written: 2 MiB at once, in a pool of at least that size.
/// **Lifetime.** outlives its buffers and its waiters: destroying it before asserts.
/// **Example.** @snippet tests/pool/buffer_pool_test.cpp buffer_pool
/// **See also.** `memory_budget`, `buffer`.
class buffer_pool {
 public:
  class acquire_awaiter;

  explicit buffer_pool(buffer_pool_options o = {}) noexcept;
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;
  ~buffer_pool();

  /// Waits for a buffer.
  ///
  /// **Result.** `result<buffer>` of `buffer_size()` bytes. Their contents are unspecified, but for
  /// `scrub::zero`: all are zero.
  /// **Errors.** `errc::closed`; std::bad_alloc from the first loan.
  /// **Suspends.** only if all are lent, or somebody waits already; resumes on the waiting task's
  /// loop.
  /// **Cancellation.** takes no buffer and lets those behind it go on.
  [[nodiscard]] acquire_awaiter acquire() noexcept;
  /// A buffer, if one is free.
  [[nodiscard]] std::optional<buffer> try_acquire();
  /// Ends all waits, and later ones at once, with `errc::closed`; what is lent stays valid.
  void close() noexcept { free_.close(); }

  [[nodiscard]] std::size_t buffer_size() const noexcept { return options_.buffer_size; }
  [[nodiscard]] std::size_t count() const noexcept { return options_.count; }
  /// Buffers that are lent now.
  [[nodiscard]] std::size_t in_use() const noexcept { return options_.count - free_.available(); }
  [[nodiscard]] buffer_pool_stats stats() const noexcept;

 private:
  class slot;
  struct memory;

  static buffer_pool_options checked(const buffer_pool_options& o) {
    if (auto valid = validate(o); !valid) detail::stop_program(valid.error().message().c_str());
    return o;
  }
  buffer take();
  void put(slot& s) noexcept;
  void allocate();

  const buffer_pool_options options_;
  semaphore free_;
  mutable detail::spin_lock lock_;
  std::unique_ptr<memory> memory_;  // this and what follows guarded by lock_
  slot* first_free_ = nullptr;
  std::size_t lent_ = 0;
  std::size_t peak_ = 0;
};

/// The awaiter of `acquire()`.
class [[nodiscard]] buffer_pool::acquire_awaiter : public leaf<acquire_awaiter> {
 public:
  explicit acquire_awaiter(buffer_pool& p) noexcept : pool_(&p), permit_(p.free_, 1) {}

  bool await_ready() noexcept { return permit_.await_ready(); }
  suspension start(waiter& w) noexcept { return permit_.start(w); }
  [[nodiscard]] result<buffer> await_resume() {
    auto permit = permit_.await_resume();
    if (!permit) return tl::unexpected<error>(std::move(permit).error());
    result<buffer> lease = pool_->take();
    permit->forget();
    return lease;
  }

 private:
  buffer_pool* pool_;
  semaphore::acquire_awaiter permit_;
};

// Who lent the bytes of one buffer.
class buffer_pool::slot final : public buffer_owner {
 public:
  slot() noexcept
      : buffer_owner([](buffer_owner* o) noexcept {
          auto& self = static_cast<slot&>(*o);
          self.pool->put(self);
        }) {}

  buffer_pool* pool = nullptr;
  std::byte* bytes = nullptr;
  slot* next_free = nullptr;
};

struct buffer_pool::memory {
  explicit memory(const buffer_pool_options& o)
      : slots(new slot[o.count]),
        stride((o.buffer_size + o.alignment - 1) / o.alignment * o.alignment),
        alignment(std::align_val_t{alignment_for(o, stride)}),
        bytes(static_cast<std::byte*>(::operator new(stride* o.count, alignment))) {
    // The kernel pins and maps the buffers of direct I/O for each operation: that is less to do.
    if (alignment == std::align_val_t{huge_page}) ::madvise(bytes, stride * o.count, MADV_HUGEPAGE);
    if (o.scrub == scrub::zero) std::memset(bytes, 0, stride * o.count);
    if (o.registered) pinned.emplace(bytes, stride * o.count);
  }
  memory(const memory&) = delete;
  memory& operator=(const memory&) = delete;
  ~memory() {
    pinned.reset();
    ::operator delete(bytes, alignment);
  }

  static constexpr std::size_t huge_page = std::size_t{2} << 20;
  static std::size_t alignment_for(const buffer_pool_options& o, std::size_t stride) noexcept {
    const bool large = o.alignment < huge_page && stride * o.count >= huge_page;
    return large ? huge_page : o.alignment;
  }

  std::unique_ptr<slot[]> slots;
  std::size_t stride;
  std::align_val_t alignment;
  std::byte* bytes;
  std::optional<registered_memory> pinned;
};

inline result<> validate(const buffer_pool_options& o) {
  const char* what = nullptr;
  if (o.buffer_size == 0) what = "buffer_size is 0";
  if (o.count == 0) what = "count is 0";
  if (o.count > semaphore::max_permits) what = "count is too large";
  if (o.alignment == 0 || (o.alignment & (o.alignment - 1)) != 0)
    what = "alignment is not a power of two";
  constexpr std::size_t most = PTRDIFF_MAX;
  if (!what && (o.alignment > most / 2 || o.buffer_size > most / 2 ||
                (o.buffer_size + o.alignment) > most / o.count))
    what = "buffer_size and count are too large together";
  if (what) return fail(errc::invalid_option, "buffer_pool_options", what);
  return {};
}

inline buffer_pool::buffer_pool(buffer_pool_options o) noexcept
    : options_(checked(o)), free_(o.count, {.name = "buffer_pool::acquire"}) {}

inline buffer_pool::~buffer_pool() {
  PENSTOCK_ASSERT(in_use() == 0, "a buffer_pool is destroyed while buffers are lent");
}

inline buffer_pool::acquire_awaiter buffer_pool::acquire() noexcept {
  return acquire_awaiter(*this);
}

inline std::optional<buffer> buffer_pool::try_acquire() {
  auto permit = free_.try_acquire();
  if (!permit) return std::nullopt;
  std::optional<buffer> lease = take();
  permit->forget();
  return lease;
}

// The caller holds a permit.
inline buffer buffer_pool::take() {
  lock_.lock();
  if (!memory_) [[unlikely]] {
    lock_.unlock();
    allocate();
    lock_.lock();
  }
  slot& s = *first_free_;
  first_free_ = s.next_free;
  if (++lent_ > peak_) peak_ = lent_;
  lock_.unlock();
  return buffer::adopt({s.bytes, options_.buffer_size}, s);
}

// Outside the lock: of two loops that come here at once, one throws its memory away.
inline void buffer_pool::allocate() {
  auto fresh = std::make_unique<memory>(options_);
  slot* first = nullptr;
  for (std::size_t i = options_.count; i-- > 0;) {
    slot& s = fresh->slots[i];
    s.pool = this;
    s.bytes = fresh->bytes + i * fresh->stride;
    s.next_free = std::exchange(first, &s);
  }
  lock_.lock();
  if (!memory_) {
    memory_ = std::move(fresh);
    first_free_ = first;
  }
  lock_.unlock();
}

inline void buffer_pool::put(slot& s) noexcept {
  if (options_.scrub == scrub::zero) {
    std::memset(s.bytes, 0, options_.buffer_size);
    __asm__ __volatile__("" : : "r"(s.bytes) : "memory");  // the zeros are read by somebody
  }
  lock_.lock();
  s.next_free = std::exchange(first_free_, &s);
  --lent_;
  lock_.unlock();
  free_.release();
}

inline buffer_pool_stats buffer_pool::stats() const noexcept {
  lock_.lock();
  const std::size_t lent = lent_;
  const std::size_t peak = peak_;
  lock_.unlock();
  return {options_.count, lent, peak, free_.waiting()};
}

}  // namespace penstock
