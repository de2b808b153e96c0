// penstock/runtime/driver/detail/uring_held.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The bytes of zero-copy sends that the kernel holds, though the sends are over: the operations
/// that wait for their release, linked both ways.

#include <penstock/runtime/operation.hpp>

#include <sys/socket.h>
#include <cstddef>

namespace penstock::detail {

class uring_held {
 public:
  [[nodiscard]] bool empty() const noexcept { return !first_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  void link(operation& op) noexcept {
    op.other = nullptr;
    op.address = nullptr;  // the one before it
    op.next = first_;
    if (first_) first_->address = &op;
    first_ = &op;
    ++size_;
  }
  void unlink(operation& op) noexcept {
    auto* const before = static_cast<operation*>(op.address);
    (before ? before->next : first_) = op.next;
    if (op.next) op.next->address = before;
    --size_;
  }
  // Their peers do not take the bytes: ends the connections, and with them the sends.
  void end_connections() const noexcept {
    for (const operation* op = first_; op; op = op->next) {
      if (op->fd < 0) continue;  // no descriptor was left for it
      ::sockaddr nowhere{};
      nowhere.sa_family = AF_UNSPEC;
      ::connect(op->fd, &nowhere, sizeof nowhere);
    }
  }

 private:
  operation* first_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace penstock::detail
