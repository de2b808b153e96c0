// penstock/base/buffer.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `buffer`: bytes that somebody lends. Heap, pool, ring of the kernel or mapped file: the last
/// slice that goes gives the memory back to where it came from.

#include <penstock/base/assert.hpp>
#include <penstock/base/atomic.hpp>
#include <penstock/base/taken.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace penstock {
namespace detail {
class buffer_slicer;
}  // namespace detail

/// Who lent the bytes of a buffer: the base of a pool's or a ring's control block.
///
/// **Shape.** references n -> ... -> 0 -> release(this), once, by whoever gives the last one back.
/// **Thread-safety.** `release` may be called on any thread on which a slice ends.
class buffer_owner {
 public:
  /// `release` takes the memory back; `this` is its argument and may be reused or freed by it.
  using release_function = void (*)(buffer_owner*) noexcept;

  explicit constexpr buffer_owner(release_function release) noexcept : release_(release) {}
  buffer_owner(const buffer_owner&) = delete;
  buffer_owner& operator=(const buffer_owner&) = delete;

 protected:
  ~buffer_owner() = default;

 private:
  friend class buffer;
  friend detail::buffer_slicer;

  void begin() noexcept {
    PENSTOCK_ASSERT(references_.load(detail::memory_order_relaxed) == 0,
                    "the owner's last lease has not ended: slice it instead");
    references_.store(1, detail::memory_order_relaxed);
  }
  void retain(std::uint32_t count = 1) noexcept {
    references_.fetch_add(count, detail::memory_order_relaxed);
  }
  void drop(std::uint32_t count = 1) noexcept {
    // The only holder needs no read-modify-write. Pairs with the decrement of another holder.
    if (references_.load(detail::memory_order_acquire) != count &&
        references_.fetch_sub(count, detail::memory_order_acq_rel) != count)
      return;
    references_.store(0, detail::memory_order_relaxed);
    release_(this);
  }

  release_function release_;
  detail::atomic<std::uint32_t> references_{0};  // buffers that refer to the memory
};

/// A move-only lease of contiguous bytes.
///
/// **Shape.** {data, size} within memory that slices share; the memory is freed with the last of
/// them.
/// **Errors.** std::bad_alloc from allocate(), copy_of() and adopt(); a range outside asserts.
/// **Thread-safety.** distinct: safe, slices of the same memory too, but for writing the same
/// bytes; same object: one thread.
/// **Memory order.** all uses of the bytes happen before they are given back.
/// **Complexity.** 24 bytes; a slice is one relaxed increment, a heap buffer one allocation.
/// **Example.** @snippet tests/base/buffer_test.cpp buffer
class [[nodiscard]] buffer {
 public:
  /// No bytes.
  constexpr buffer() noexcept = default;

  /// `size` bytes of the heap, not initialised; `alignment` is a power of two.
  static buffer allocate(std::size_t size, std::size_t alignment = alignof(std::max_align_t));
  static buffer copy_of(std::span<const std::byte> bytes);
  static buffer copy_of(std::string_view text) {
    return copy_of({reinterpret_cast<const std::byte*>(text.data()), text.size()});
  }
  /// Lends `bytes`, to be given back to `owner`. All leases of an owner end before it is reused.
  static buffer adopt(std::span<std::byte> bytes, buffer_owner& owner) noexcept {
    owner.begin();
    return buffer(bytes.data(), bytes.size(), &owner);
  }
  /// Lends `bytes`, and calls `release()` after the last use.
  template <class Release>
  requires std::is_invocable_v<Release&> && std::is_nothrow_move_constructible_v<Release>
  static buffer adopt(std::span<std::byte> bytes, Release release);

  buffer(buffer&& other) noexcept
      : data_(detail::taken(other.data_)),
        size_(detail::exchanged(other.size_, 0)),
        owner_(detail::taken(other.owner_)) {}
  buffer& operator=(buffer&& other) noexcept {
    if (this != &other) {
      reset();
      data_ = detail::taken(other.data_);
      size_ = detail::exchanged(other.size_, 0);
      owner_ = detail::taken(other.owner_);
    }
    return *this;
  }
  ~buffer() {
    if (owner_) owner_->drop();
  }

  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::byte* data() noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  /// The bytes for writing: other slices of the same memory see what is written.
  [[nodiscard]] std::span<std::byte> mutable_bytes() noexcept { return {data_, size_}; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(data_), size_};
  }
  operator std::span<const std::byte>() const noexcept { return bytes(); }

  /// The `count` bytes from `offset` on, sharing the memory.
  buffer slice(std::size_t offset, std::size_t count) const noexcept {
    PENSTOCK_ASSERT(offset <= size_ && count <= size_ - offset, "a slice outside of its buffer");
    if (owner_) owner_->retain();
    return buffer(data_ + offset, count, owner_);
  }
  /// The first `count` bytes, sharing the memory.
  buffer first(std::size_t count) const noexcept { return slice(0, count); }
  /// Takes the first `count` bytes out: they are returned, this buffer keeps the rest.
  buffer split(std::size_t count) noexcept {
    buffer head = first(count);
    remove_prefix(count);
    return head;
  }
  /// Forgets the first `count` bytes.
  void remove_prefix(std::size_t count) noexcept {
    PENSTOCK_ASSERT(count <= size_, "a prefix longer than its buffer");
    data_ += count;
    size_ -= count;
  }
  /// Keeps the first `count` bytes only.
  void truncate(std::size_t count) noexcept {
    PENSTOCK_ASSERT(count <= size_, "a buffer cannot be truncated to more than it has");
    size_ = count;
  }
  /// Ends the lease: the buffer is empty afterwards.
  void reset() noexcept {
    if (auto* const owner = detail::taken(owner_)) owner->drop();
    data_ = nullptr;
    size_ = 0;
  }

 private:
  friend detail::buffer_slicer;
  buffer(std::byte* data, std::size_t size, buffer_owner* owner) noexcept
      : data_(data), size_(size), owner_(owner) {}

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  buffer_owner* owner_ = nullptr;  // null: no memory at all
};
static_assert(sizeof(buffer) == 3 * sizeof(void*));

namespace detail {

// Stands behind the bytes, in the same allocation: the bytes keep the alignment that was asked for.
class heap_buffer_owner final : public buffer_owner {
 public:
  heap_buffer_owner(std::byte* base, std::size_t alignment) noexcept
      : buffer_owner(&give_back), base_(base), alignment_(alignment) {}

 private:
  static void give_back(buffer_owner* o) noexcept {
    auto* const self = static_cast<heap_buffer_owner*>(o);
    std::byte* const base = self->base_;
    const std::align_val_t alignment{self->alignment_};
    self->~heap_buffer_owner();
    ::operator delete(base, alignment);
  }
  std::byte* base_;
  std::size_t alignment_;
};

template <class Release>
class function_buffer_owner final : public buffer_owner {
 public:
  explicit function_buffer_owner(Release&& release) noexcept
      : buffer_owner(&give_back), function_(std::move(release)) {}

 private:
  static void give_back(buffer_owner* o) noexcept {
    auto* const self = static_cast<function_buffer_owner*>(o);
    self->function_();
    delete self;
  }
  Release function_;
};

}  // namespace detail

inline buffer buffer::allocate(std::size_t size, std::size_t alignment) {
  using owner = detail::heap_buffer_owner;
  PENSTOCK_ASSERT(alignment && (alignment & (alignment - 1)) == 0,
                  "the alignment of a buffer is a power of two");
  if (size == 0) return {};
  if (alignment < alignof(owner)) alignment = alignof(owner);
  // More than any allocator gives must not wrap around to little.
  if (size > PTRDIFF_MAX - sizeof(owner)) size = PTRDIFF_MAX - sizeof(owner);
  const std::size_t room = (size + alignof(owner) - 1) / alignof(owner) * alignof(owner);
  auto* const base =
      static_cast<std::byte*>(::operator new (room + sizeof(owner), std::align_val_t{alignment}));
  return adopt({base, size}, *::new (static_cast<void*>(base + room)) owner(base, alignment));
}

inline buffer buffer::copy_of(std::span<const std::byte> bytes) {
  buffer copy = allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data_, bytes.data(), bytes.size());
  return copy;
}

template <class Release>
requires std::is_invocable_v<Release&> && std::is_nothrow_move_constructible_v<Release> buffer
buffer::adopt(std::span<std::byte> bytes, Release release) {
  return adopt(bytes, *new detail::function_buffer_owner<Release>(std::move(release)));
}

}  // namespace penstock
