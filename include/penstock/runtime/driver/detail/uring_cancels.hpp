// penstock/runtime/driver/detail/uring_cancels.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Cancellations that the kernel has not answered yet, and what each is for: the operation may be
/// over, and gone, when its answer comes.
///
/// The kernel does not find an operation that it is just about to try again, and answers -ENOENT
/// though the operation goes on. Who wants it to end has to ask once more.

#include <penstock/base/taken.hpp>
#include <penstock/runtime/operation.hpp>

#include <cstdint>
#include <new>

namespace penstock::detail {

class uring_cancels {
 public:
  uring_cancels() noexcept = default;
  uring_cancels(const uring_cancels&) = delete;
  uring_cancels& operator=(const uring_cancels&) = delete;
  ~uring_cancels() {
    while (all_) delete detail::exchanged(all_, all_->made_before);
  }

  // Whether it is the name of a cancellation, not of an operation.
  static bool is_one(std::uint64_t name) noexcept { return (name & mark) != 0; }

  // A name for the cancellation of `op`, whose `next` is used until it is over. 0: memory is out,
  // and nobody hears of the answer.
  std::uint64_t begin(operation& op) noexcept {
    op.next = nullptr;
    record* const r = free_ ? detail::exchanged(free_, free_->next) : make();
    if (!r) return 0;
    r->of = &op;
    op.next = reinterpret_cast<operation*>(r);
    return reinterpret_cast<std::uintptr_t>(r) | mark;
  }
  // `op` is over.
  static void ended(operation& op) noexcept {
    if (auto* const r = reinterpret_cast<record*>(detail::taken(op.next))) r->of = nullptr;
  }
  // The answer has come. The operation, unless it is over.
  operation* answered(std::uint64_t name) noexcept {
    record& r = *reinterpret_cast<record*>(static_cast<std::uintptr_t>(name & ~mark));
    operation* const op = detail::taken(r.of);
    if (op) op->next = nullptr;
    r.next = detail::exchanged(free_, &r);
    return op;
  }

 private:
  static constexpr std::uint64_t mark = 1;
  struct record {
    operation* of = nullptr;
    record* next = nullptr;  // while it is free
    record* made_before = nullptr;
  };
  record* make() noexcept {
    auto* const r = new (std::nothrow) record;
    if (r) r->made_before = detail::exchanged(all_, r);
    return r;
  }

  record* all_ = nullptr;
  record* free_ = nullptr;
};

}  // namespace penstock::detail
