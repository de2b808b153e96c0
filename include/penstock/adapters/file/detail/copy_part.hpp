// penstock/adapters/file/detail/copy_part.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Copies one part into a file, with its checksum: on the cpu pool between files in the page cache,
/// else in blocks through the loop's driver, several at a time.

#include <penstock/base/checksum.hpp>
#include <penstock/core/offload.hpp>
#include <penstock/core/this_task.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/io/file.hpp>
#include <penstock/pool/buffer_pool.hpp>
#include <penstock/upload/journal_core.hpp>

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace penstock::detail {

// Blocks of one part in flight at once.
constexpr std::size_t part_lanes = 4;

template <class S>
inline constexpr bool is_plain_file = std::is_same_v<S, file>;

inline bool in_page_cache(const file& f) noexcept { return f.alignment().memory == 1; }

// On a pool thread: reads all of `to`, or less at the end of the file.
inline result<std::size_t> read_fully(const file& f, std::uint64_t at, std::span<std::byte> to) {
  std::size_t done = 0;
  while (done < to.size()) {
    const auto n = ::pread(f.native_handle(), to.data() + done, to.size() - done,
                           static_cast<off_t>(at + done));
    if (n == 0) break;
    if (n < 0 && errno != EINTR) return fail(errno_error(errno), "read", f.path());
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  return done;
}
inline result<> write_fully(const file& f, std::uint64_t at, std::span<const std::byte> from) {
  while (!from.empty()) {
    const auto n = ::pwrite(f.native_handle(), from.data(), from.size(), static_cast<off_t>(at));
    if (n < 0 && errno != EINTR) return fail(errno_error(errno), "write", f.path());
    if (n <= 0) continue;
    at += static_cast<std::uint64_t>(n);
    from = from.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

// On a pool thread: block by block, so that a block stays in the processor's cache between the
// read, the checksum and the write. `to` may be null: only the checksum.
inline result<std::uint32_t> copy_now(const file& from, const file* to, const upload_part& part,
                                      std::span<std::byte> block, inplace_stop_token stop) {
  std::uint32_t crc = 0;
  for (std::uint64_t done = 0; done < part.size;) {
    if (stop.stop_requested()) return fail(errc::canceled, "copy", from.path());
    const auto want = static_cast<std::size_t>(
        (std::min)(static_cast<std::uint64_t>(block.size()), part.size - done));
    const auto bytes = block.first(want);
    const auto read = read_fully(from, part.offset + done, bytes);
    if (!read) return fail(read.error());
    if (*read < want) return fail(errc::source_changed, "read", from.path());
    crc = crc32c(bytes, crc);
    if (to) {
      const auto written = write_fully(*to, part.offset + done, bytes);
      if (!written) return fail(written.error());
    }
    done += want;
  }
  return crc;
}

inline task<result<std::uint32_t>> copy_on_pool(file& from, file* to, upload_part part,
                                                buffer block) {
  const inplace_stop_token stop = co_await this_task::stop_token();
  auto copy = [&] { return copy_now(from, to, part, block.mutable_bytes(), stop); };
  co_return co_await offload(std::ref(copy));
}

// Every lane takes the next block until there is none; checksums are put together at the end.
template <class Source>
task<result<std::uint32_t>> copy_in_lanes(Source& from, file& to, upload_part part,
                                          buffer_pool& buffers) {
  const std::uint64_t unit = to.alignment().offset;
  const std::size_t size = buffers.buffer_size();
  const auto blocks = static_cast<std::size_t>((part.size + size - 1) / size);
  std::vector<std::uint32_t> sums(blocks);
  std::size_t next = 0;
  auto lane = [&]() -> task<result<>> {
    buffer block = co_await ok(buffers.acquire());
    while (next < blocks) {
      const std::size_t i = next++;
      const std::uint64_t offset = i * static_cast<std::uint64_t>(size);
      const auto want = static_cast<std::size_t>(
          (std::min)(static_cast<std::uint64_t>(size), part.size - offset));
      // Direct I/O reads and writes whole units; what is behind the end is cut off by complete().
      const auto whole = static_cast<std::size_t>((want + unit - 1) / unit * unit);
      const auto bytes = block.mutable_bytes().first(whole);
      const std::size_t read = co_await ok(from.read_at(part.offset + offset, bytes));
      if (read < want) co_return fail(errc::source_changed, "read", "the source ended early");
      sums[i] = crc32c(bytes.first(want));
      std::memset(bytes.data() + want, 0, whole - want);
      co_await ok(to.write_at(part.offset + offset, bytes));
    }
    co_return {};
  };
  auto body = [&](task_group& group) -> task<result<>> {
    const std::size_t lanes = (std::min)(blocks, part_lanes);
    for (std::size_t i = 0; i < lanes; ++i) group.start(lane);
    co_return {};
  };
  co_await ok(with_group(body));
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < blocks; ++i) {
    const std::uint64_t offset = i * static_cast<std::uint64_t>(size);
    crc = crc32c_combine(crc, sums[i],
                         (std::min)(static_cast<std::uint64_t>(size), part.size - offset));
  }
  co_return crc;
}

template <class Source>
task<result<std::uint32_t>> copy_part(Source& from, file& to, upload_part part,
                                      buffer_pool& buffers) {
  if constexpr (is_plain_file<Source>) {
    const bool cached = in_page_cache(from) && in_page_cache(to);
    if (cached) {
      buffer block = co_await ok(buffers.acquire());
      co_return co_await copy_on_pool(from, &to, part, std::move(block));
    }
  }
  co_return co_await copy_in_lanes(from, to, part, buffers);
}

// Reads a part of `f` again.
inline task<result<std::uint32_t>> checksum_part(file& f, upload_part part) {
  buffer block = buffer::allocate(64 << 10, 4096);
  co_return co_await copy_on_pool(f, nullptr, part, std::move(block));
}

// The records of `text` that are whole; returns where they end.
inline std::uint64_t valid_parts(std::string_view text, const part_plan& plan,
                                 std::vector<part_receipt>& parts) {
  journal_state state;
  state.plan = plan;
  state.parts.resize(plan.count);
  const std::uint64_t end = parse_parts(text, 0, state);
  for (const auto& r : state.parts) {
    if (r) parts.push_back(*r);
  }
  return end;
}

}  // namespace penstock::detail
