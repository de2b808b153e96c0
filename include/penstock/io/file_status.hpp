// penstock/io/file_status.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What the file system says of a file.

#include <fcntl.h>
#include <sys/stat.h>
#include <cstdint>

namespace penstock {

/// What kind of file a path names.
enum class file_kind : unsigned char { regular, directory, symlink, other };

/// A snapshot. Size, times and inode together tell whether a file is still the same.
struct file_status {
  std::uint64_t size = 0;     ///< bytes
  std::int64_t mtime_ns = 0;  ///< last change of the bytes, since 1970
  std::int64_t ctime_ns = 0;  ///< last change of the bytes or of the inode, since 1970
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  std::uint64_t allocated = 0;  ///< bytes on the device
  std::uint32_t links = 0;
  std::uint32_t mode = 0;  ///< permission bits, 07777
  file_kind kind = file_kind::other;

  friend bool operator==(const file_status&, const file_status&) = default;
};

namespace detail {
constexpr std::int64_t nanoseconds(std::int64_t seconds, std::uint32_t rest) noexcept {
  return seconds * 1'000'000'000 + static_cast<std::int64_t>(rest);
}
inline file_status status_of(const struct ::statx& s) noexcept {
  file_status out;
  out.size = s.stx_size;
  out.mtime_ns = nanoseconds(s.stx_mtime.tv_sec, s.stx_mtime.tv_nsec);
  out.ctime_ns = nanoseconds(s.stx_ctime.tv_sec, s.stx_ctime.tv_nsec);
  out.inode = s.stx_ino;
  out.device = (std::uint64_t{s.stx_dev_major} << 32) | s.stx_dev_minor;
  out.allocated = s.stx_blocks * 512;
  out.links = s.stx_nlink;
  out.mode = s.stx_mode & 07777u;
  out.kind = S_ISREG(s.stx_mode)   ? file_kind::regular
             : S_ISDIR(s.stx_mode) ? file_kind::directory
             : S_ISLNK(s.stx_mode) ? file_kind::symlink
                                   : file_kind::other;
  return out;
}
}  // namespace detail

}  // namespace penstock
