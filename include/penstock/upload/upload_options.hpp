// penstock/upload/upload_options.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What an upload is told, and what it tells.

#include <penstock/base/clock.hpp>
#include <penstock/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace penstock {

/// Options of `upload`.
struct upload_options {
  /// Bytes a part, 1 to 5 GiB; larger when the object needs more than 10,000 parts. S3 wants 5 MiB.
  std::uint64_t part_size = 8u << 20;
  /// Parts in flight, at least 1.
  std::size_t concurrency = 4;
  /// Bytes of buffers in flight over all parts that are sent; at least one block. Not more than 8
  /// blocks for each part in flight are used. What a target reads to verify the parts that it has
  /// is outside it: with `directory_target` 4 x 64 KiB, before the first part is sent.
  std::size_t memory_budget = 16u << 20;
  /// Bytes an operation on source and target moves, 1 to 1 GiB; a multiple of 4096 for direct I/O.
  std::size_t block_size = 64u << 10;
  /// How often one part is tried, the first time included.
  std::size_t part_attempts = 3;
  /// The delay before a part's second try; it doubles, with full jitter, up to 20 s.
  duration retry_delay = std::chrono::milliseconds(100);
  /// The least time between two syncs of the journal while parts are sent: what a loss of power may
  /// cost, in sent parts. Nothing is lost when only the process ends.
  duration journal_sync_interval = std::chrono::seconds(1);
  /// The least time between two calls of the progress function.
  duration progress_interval = std::chrono::milliseconds(100);
};
static_assert(std::is_trivially_copyable_v<upload_options>);

/// **Errors.** `errc::invalid_option`, naming the option.
[[nodiscard]] inline result<> validate(const upload_options& o) {
  const char* what = nullptr;
  if (o.part_size == 0 || o.part_size > (std::uint64_t{5} << 30))
    what = "part_size is not in 1 .. 5 GiB";
  if (o.concurrency == 0) what = "concurrency is 0";
  if (o.block_size == 0 || o.block_size > (std::size_t{1} << 30))
    what = "block_size is not in 1 .. 1 GiB";
  if (o.memory_budget < o.block_size) what = "memory_budget is less than one block";
  if (o.part_attempts < 1) what = "part_attempts is less than 1";
  if (o.retry_delay < duration::zero()) what = "retry_delay is negative";
  if (o.journal_sync_interval < duration::zero()) what = "journal_sync_interval is negative";
  if (o.progress_interval < duration::zero()) what = "progress_interval is negative";
  if (what) return fail(errc::invalid_option, "upload_options", what);
  return {};
}

/// What a successful upload did.
struct upload_report {
  std::uint64_t bytes = 0;       ///< of the object
  std::uint32_t parts = 0;       ///< of the object
  std::uint32_t parts_sent = 0;  ///< in this run; the others were there
};

/// How far an upload is: parts that the target has acknowledged. Never goes back.
struct upload_progress {
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::uint32_t parts_done = 0;
  std::uint32_t parts_total = 0;

  /// 0 to 1; 1 for an empty object.
  [[nodiscard]] double fraction() const noexcept {
    if (bytes_total == 0) return 1;
    return static_cast<double>(bytes_done) / static_cast<double>(bytes_total);
  }
};

namespace detail {
// Blocks of one part in flight at once: four parts keep a fast disk busy.
constexpr std::size_t part_lanes = 8;

template <class Fn>
class progress_function {
 public:
  explicit progress_function(Fn fn) : fn_(std::move(fn)) {}
  void operator()(const upload_progress& p) { fn_(p); }

 private:
  Fn fn_;
};
template <class T>
inline constexpr bool is_progress_function = false;
template <class Fn>
inline constexpr bool is_progress_function<progress_function<Fn>> = true;
}  // namespace detail

/// Makes `upload` call `fn(upload_progress)`: at most once an interval, and once at the end.
///
/// **Cancellation.** called on the upload's loop, between its steps; must not block.
template <class Fn>
requires std::is_invocable_v<Fn&, const upload_progress&>
[[nodiscard]] detail::progress_function<Fn> on_progress(Fn fn) {
  return detail::progress_function<Fn>(std::move(fn));
}

}  // namespace penstock
