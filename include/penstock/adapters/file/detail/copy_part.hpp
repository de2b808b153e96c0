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
#include <penstock/core/yield.hpp>
#include <penstock/io/file.hpp>
#include <penstock/pool/buffer_pool.hpp>
#include <penstock/upload/upload_concepts.hpp>
#include <penstock/upload/upload_options.hpp>

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace penstock::detail {

template <class S>
inline constexpr bool is_plain_file = std::is_same_v<S, file>;

inline bool in_page_cache(const file& f) noexcept { return f.alignment().memory == 1; }
template <class Source>
std::size_t read_unit(const Source& from) noexcept {
  if constexpr (is_plain_file<Source>)
    return from.alignment().offset;
  else
    return 1;
}
// A source has a path, or only the name of the upload that it is for.
template <class Source>
error ended_early(const Source& from, const upload_part& part) {
  const error changed = errc::source_changed;
  if constexpr (requires { std::string(from.path()); }) return changed.with("read", from.path());
  return changed.with("read part " + std::to_string(part.index) + " of the source");
}
constexpr std::size_t round_up(std::size_t n, std::size_t unit) noexcept {
  return (n + unit - 1) / unit * unit;
}

// Whether the file system sets space aside without writing to it. One in memory would write zeros
// to every page: as much work as a third of the copy.
inline bool reserves_space(int fd) noexcept {
  struct ::statfs s {};
  return ::fstatfs(fd, &s) != 0 || s.f_type != TMPFS_MAGIC;
}

// On a pool thread: reads all of `to`, or less at the end of the file.
inline result<std::size_t> read_fully(const file& f, std::uint64_t at, std::span<std::byte> to) {
  std::size_t done = 0;
  while (done < to.size()) {
    const auto n = ::pread(f.native_handle(), to.data() + done, to.size() - done,
                           static_cast<off_t>(at + done));
    if (n == 0) break;
    if (n < 0 && errno != EINTR) return fail(errno_error(errno), "read", f.path());
    if (n > 0) done += static_cast<std::size_t>(n);
    if (done % f.alignment().offset != 0) break;  // a direct read that met the end
  }
  return done;
}
inline result<> write_fully(const file& f, std::uint64_t at, std::span<const std::byte> from) {
  while (!from.empty()) {
    const auto n = ::pwrite(f.native_handle(), from.data(), from.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(errno_error(n < 0 ? errno : EIO), "write", f.path());
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
    const auto read =
        read_fully(from, part.offset + done, block.first(round_up(want, from.alignment().offset)));
    if (!read) return fail(read.error());
    if (*read < want) return fail(ended_early(from, part));
    const auto bytes = block.first(want);
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
  auto crc = co_await offload(std::ref(copy));
  if (!crc && crc.error() == errc::canceled) co_await yield();  // ends here, as stopped
  co_return crc;
}

// Reads a part of `f` again.
inline task<result<std::uint32_t>> checksum_part(file& f, upload_part part) {
  buffer block = buffer::allocate(64 << 10, 4096);
  co_return co_await copy_on_pool(f, nullptr, part, std::move(block));
}

// A part that goes through the driver in blocks. `to` may be null: only the checksum.
template <class Source>
class block_copy {
 public:
  block_copy(Source& from, file* to, const upload_part& part, buffer_pool& buffers)
      : from_(from),
        to_(to),
        part_(part),
        buffers_(buffers),
        block_(buffers.buffer_size()),
        read_unit_(read_unit(from)),
        write_unit_(to ? to->alignment().offset : 1),
        sums_(static_cast<std::size_t>((part.size + block_ - 1) / block_)) {}

  task<result<std::uint32_t>> run() {
    if (part_.offset % read_unit_ != 0 || block_ % read_unit_ != 0 || block_ % write_unit_ != 0) {
      co_return fail(errc::invalid_option, "direct I/O",
                     "part_size or block_size is not a multiple of " +
                         std::to_string((std::max)(read_unit_, write_unit_)));
    }
    auto body = [this](task_group& group) -> task<result<>> {
      auto start = [this] { return lane(); };
      const std::size_t lanes = (std::min)(sums_.size(), part_lanes);
      for (std::size_t i = 0; i < lanes; ++i) group.start(start);
      co_return {};
    };
    co_await ok(with_group(body));
    co_return whole();
  }

 private:
  [[nodiscard]] std::size_t size_of(std::size_t i) const noexcept {
    const std::uint64_t left = part_.size - i * static_cast<std::uint64_t>(block_);
    return static_cast<std::size_t>((std::min)(static_cast<std::uint64_t>(block_), left));
  }
  // Takes the next block until there is none.
  task<result<>> lane() {
    buffer block = co_await ok(buffers_.acquire());
    while (next_ < sums_.size()) {
      const std::size_t i = next_++;
      const std::uint64_t at = part_.offset + i * static_cast<std::uint64_t>(block_);
      const std::size_t want = size_of(i);
      // Direct I/O moves whole units; what is behind the end is cut off by complete().
      const auto bytes = block.mutable_bytes();
      const std::size_t read =
          co_await ok(from_.read_at(at, bytes.first(round_up(want, read_unit_))));
      if (read < want) co_return fail(ended_early(from_, part_));
      sums_[i] = crc32c(bytes.first(want));
      const std::size_t whole = round_up(want, write_unit_);
      std::memset(bytes.data() + want, 0, whole - want);
      if (to_) co_await ok(to_->write_at(at, bytes.first(whole)));
    }
    co_return {};
  }
  // Of the blocks' checksums.
  [[nodiscard]] std::uint32_t whole() const noexcept {
    const crc32c_combiner append(block_);
    std::uint32_t crc = 0;
    for (std::size_t i = 0; i + 1 < sums_.size(); ++i) crc = append(crc, sums_[i]);
    const std::size_t last = sums_.size() - 1;
    return crc32c_combine(crc, sums_[last], size_of(last));
  }

  Source& from_;
  file* to_;
  const upload_part part_;
  buffer_pool& buffers_;
  const std::size_t block_;
  const std::size_t read_unit_;
  const std::size_t write_unit_;
  std::vector<std::uint32_t> sums_;  // one for each block
  std::size_t next_ = 0;
};

template <class Source>
task<result<std::uint32_t>> copy_part(Source& from, file* to, upload_part part,
                                      buffer_pool& buffers) {
  if constexpr (is_plain_file<Source>) {
    const bool cached = in_page_cache(from) && (!to || in_page_cache(*to));
    if (cached) {
      buffer block = co_await ok(buffers.acquire());
      co_return co_await copy_on_pool(from, to, part, std::move(block));
    }
  }
  block_copy<Source> copy(from, to, part, buffers);
  co_return co_await copy.run();
}

}  // namespace penstock::detail
