// penstock/runtime/detail/operation_queue.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Operations in a row, linked by `next`: first come, first out.

#include <penstock/base/config.hpp>
#include <penstock/runtime/operation.hpp>

namespace penstock::detail {

class operation_queue {
 public:
  [[nodiscard]] bool empty() const noexcept { return !first_; }
  // Null when it is empty, as last().
  [[nodiscard]] operation* first() const noexcept { return first_; }
  [[nodiscard]] operation* last() const noexcept { return first_ ? last_ : nullptr; }
  void push(operation& op) noexcept {
    op.next = nullptr;
    *(first_ ? &last_->next : &first_) = &op;
    last_ = &op;
  }
  // Not of an empty one.
  operation& pop() noexcept {
    operation& op = *first_;
    first_ = op.next;
    return op;
  }
  // One that is in it.
  PENSTOCK_NOINLINE void remove(operation& op) noexcept {
    operation* before = nullptr;
    for (auto* p = first_; p != &op; p = p->next) before = p;
    (before ? before->next : first_) = op.next;
    if (last_ == &op) last_ = before;
  }
  template <class Fn>
  requires requires(Fn& f, operation& op) { f(op); }
  void each(Fn fn) const {
    for (operation* op = first_; op; op = op->next) fn(*op);
  }
  // Its canceled ones go to the end of `to`.
  void move_canceled(operation_queue& to) noexcept {
    operation_queue rest;
    while (!empty()) {
      operation& op = pop();
      const bool canceled = op.stage.load(memory_order_relaxed) == operation_stage::canceled;
      (canceled ? to : rest).push(op);
    }
    *this = rest;
  }

 private:
  operation* first_ = nullptr;
  operation* last_ = nullptr;  // while there is a first
};

}  // namespace penstock::detail
