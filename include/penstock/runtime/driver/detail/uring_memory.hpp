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
    if (is_old()) refresh();
    for (std::size_t at = 0; at < used_; ++at) {
      place& p = places_[at];
      const auto into = reinterpret_cast<std::uintptr_t>(op.address) -
                        reinterpret_cast<std::uintptr_t>(p.region.begin);
      if (!p.region.begin || into >= p.region.size || op.length > p.region.size - into) continue;
      if (p.state == pages::untried) p.state = pin(at) ? pages::pinned : pages::refused;
      if (p.state == pages::refused) continue;
      s.opcode = op.kind == operation_kind::read ? IORING_OP_READ_FIXED : IORING_OP_WRITE_FIXED;
      s.buf_index = static_cast<std::uint16_t>(at);
      ++stats_.pinned;
      return;
    }
  }
  // Pinned pages stay in use when their memory is freed: ends that for regions that have ended.
  void let_go() noexcept {
    if (pinned_ != 0 && is_old()) [[unlikely]]
      refresh();
  }

 private:
  enum class pages : unsigned char { untried, pinned, refused };
  struct place {
    memory_region region;
    pages state = pages::untried;
  };

  [[nodiscard]] bool is_old() const noexcept { return seen_ != registered_regions.version(); }
  // Rare: a pool began or ended. What is new is pinned when it is used: most regions are for other
  // loops.
  PENSTOCK_NOINLINE void refresh() noexcept {
    memory_region now[memory_regions::places];
    seen_ = registered_regions.each([&](std::size_t at, const memory_region& r) { now[at] = r; });
    used_ = 0;
    for (std::size_t at = 0; at < memory_regions::places; ++at) {
      if (now[at].begin) used_ = at + 1;
      place& p = places_[at];
      if (now[at].number == p.region.number) continue;
      if (p.state == pages::pinned) {
        update(at, {});
        --pinned_;
      }
      p = {now[at], pages::untried};
    }
  }
  bool pin(std::size_t at) noexcept {
    if (table_ == pages::untried) {
      const int made = ::io_uring_register_buffers_sparse(&ring_, memory_regions::places);
      table_ = made < 0 ? pages::refused : pages::pinned;
    }
    if (table_ == pages::refused || !update(at, places_[at].region)) return false;
    ++pinned_;
    return true;
  }
  bool update(std::size_t at, const memory_region& r) noexcept {
    const ::iovec memory{const_cast<void*>(r.begin), r.size};
    const __u64 tag = 0;
    return ::io_uring_register_buffers_update_tag(&ring_, static_cast<unsigned>(at), &memory, &tag,
                                                  1) == 1;
  }

  io_uring& ring_;
  driver_stats& stats_;
  std::uint64_t seen_ = 0;  // the version of places_
  place places_[memory_regions::places];
  std::size_t used_ = 0;    // places up to the last region
  std::size_t pinned_ = 0;  // places
  pages table_ = pages::untried;
};

}  // namespace penstock::detail
