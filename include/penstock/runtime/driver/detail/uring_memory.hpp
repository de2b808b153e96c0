// penstock/runtime/driver/detail/uring_memory.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Registered memory as one ring has it: pinned once, used by the number of its place. Where the
/// kernel refuses (before Linux 5.19, RLIMIT_MEMLOCK, a filter) operations stay as they are.

#include <penstock/base/config.hpp>
#include <penstock/base/registered_memory.hpp>
#include <penstock/runtime/driver.hpp>
#include <penstock/runtime/driver/detail/liburing.hpp>
#include <penstock/runtime/operation.hpp>

#include <sys/uio.h>
#include <cstddef>
#include <cstdint>

namespace penstock::detail {

class uring_memory {
 public:
  uring_memory(io_uring& ring, driver_stats& stats) noexcept : ring_(ring), stats_(stats) {}

  // `s` is filled for a direct read or write: makes it one of pinned memory, where that is.
  PENSTOCK_NOINLINE void use_pinned(io_uring_sqe& s, const operation& op) noexcept {
    if (refused_) return;
    if (seen_ != registered_regions.version()) refresh();
    for (std::size_t at = 0; at < used_; ++at) {
      const memory_region& r = pinned_[at];
      const auto into =
          reinterpret_cast<std::uintptr_t>(op.address) - reinterpret_cast<std::uintptr_t>(r.begin);
      if (!r.begin || into >= r.size || op.length > r.size - into) continue;
      s.opcode = op.kind == operation_kind::read ? IORING_OP_READ_FIXED : IORING_OP_WRITE_FIXED;
      s.buf_index = static_cast<std::uint16_t>(at);
      ++stats_.pinned;
      return;
    }
  }

 private:
  // Rare: a pool began or ended.
  void refresh() noexcept {
    if (!table_ && ::io_uring_register_buffers_sparse(&ring_, memory_regions::places) < 0) {
      refused_ = true;
      return;
    }
    table_ = true;
    memory_region now[memory_regions::places];
    seen_ = registered_regions.each([&](std::size_t at, const memory_region& r) { now[at] = r; });
    used_ = 0;
    for (std::size_t at = 0; at < memory_regions::places; ++at) {
      if (now[at].number != known_[at]) put(at, now[at]);
      if (pinned_[at].begin) used_ = at + 1;
    }
  }
  void put(std::size_t at, const memory_region& r) noexcept {
    const ::iovec memory{const_cast<void*>(r.begin), r.size};
    const __u64 tag = 0;
    known_[at] = r.number;
    const int done =
        ::io_uring_register_buffers_update_tag(&ring_, static_cast<unsigned>(at), &memory, &tag, 1);
    pinned_[at] = done == 1 ? r : memory_region{};
  }

  io_uring& ring_;
  driver_stats& stats_;
  std::uint64_t seen_ = 0;
  std::uint64_t known_[memory_regions::places] = {};  // numbers, also of those that were refused
  memory_region pinned_[memory_regions::places];
  std::size_t used_ = 0;  // places up to the last that is pinned
  bool table_ = false;
  bool refused_ = false;
};

}  // namespace penstock::detail
