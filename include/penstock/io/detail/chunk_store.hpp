// penstock/io/detail/chunk_store.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Memory for the chunks of one stream: as many blocks as are in use at once, used again and again.

#include <penstock/base/buffer.hpp>
#include <penstock/base/lesser.hpp>
#include <penstock/base/spin_lock.hpp>

#include <cstddef>
#include <memory>
#include <new>

namespace penstock::detail {

// Blocks come back on any thread, also when the stream is gone: the last to go frees the store.
class chunk_store {
 public:
  static chunk_store* create(std::size_t size, std::size_t alignment) {
    return new chunk_store(size, alignment);
  }
  // A whole block, not initialised.
  buffer lend() {
    block* b = take();
    if (!b) b = make();
    references_.fetch_add(1, memory_order_relaxed);
    return buffer::adopt({b->base, size_}, *b);
  }
  // The stream has ended.
  void leave() noexcept { drop(); }

 private:
  struct block final : buffer_owner {
    block(chunk_store& s, std::byte* memory) noexcept
        : buffer_owner(&give_back), home(&s), base(memory) {}
    static void give_back(buffer_owner* o) noexcept {
      auto& self = static_cast<block&>(*o);
      chunk_store& home = *self.home;
      home.lock_.lock();
      self.next = home.free_;
      home.free_ = &self;
      home.lock_.unlock();
      home.drop();
    }
    chunk_store* home;
    std::byte* base;
    block* next = nullptr;
  };

  chunk_store(std::size_t size, std::size_t alignment) noexcept
      : size_(size), alignment_(detail::larger(alignment, alignof(block))) {}
  ~chunk_store() {
    while (block* b = take()) {
      std::byte* const base = b->base;
      std::destroy_at(b);
      ::operator delete (base, std::align_val_t{alignment_});
    }
  }
  block* take() noexcept {
    lock_.lock();
    block* const b = free_;
    if (b) free_ = b->next;
    lock_.unlock();
    return b;
  }
  // The block stands behind its bytes, in the same allocation.
  block* make() {
    const std::size_t room = (size_ + alignof(block) - 1) / alignof(block) * alignof(block);
    auto* const base = static_cast<std::byte*>(
        ::operator new (room + sizeof(block), std::align_val_t{alignment_}));
    return ::new (static_cast<void*>(base + room)) block(*this, base);
  }
  void drop() noexcept {
    if (references_.fetch_sub(1, memory_order_acq_rel) == 1) delete this;
  }

  const std::size_t size_;
  const std::size_t alignment_;
  spin_lock lock_;
  block* free_ = nullptr;              // guarded by lock_
  atomic<std::size_t> references_{1};  // the stream, and each block that is lent
};

}  // namespace penstock::detail
