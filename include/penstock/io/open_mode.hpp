// penstock/io/open_mode.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a file is opened.

#include <fcntl.h>
#include <cstdint>

namespace penstock {

/// Flags of `file::open`, combined with `|`.
enum class open_mode : std::uint32_t {
  read = 1,
  write = 2,
  read_write = read | write,
  create = 4,       ///< when it is not there
  create_new = 8,   ///< it must not be there
  truncate = 16,    ///< to no bytes
  append = 32,      ///< every write goes to the end
  direct = 64,      ///< past the page cache; buffers, offsets and lengths must be aligned
  data_sync = 128,  ///< a write is over when its bytes are durable
  no_follow = 256,  ///< not where the path names a symbolic link
};

[[nodiscard]] constexpr open_mode operator|(open_mode a, open_mode b) noexcept {
  return static_cast<open_mode>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}
constexpr open_mode& operator|=(open_mode& a, open_mode b) noexcept { return a = a | b; }
/// Whether `mode` has all flags of `flags`.
[[nodiscard]] constexpr bool has(open_mode mode, open_mode flags) noexcept {
  return (static_cast<std::uint32_t>(mode) & static_cast<std::uint32_t>(flags)) ==
         static_cast<std::uint32_t>(flags);
}

namespace detail {
// Without `read` and `write`: for writing, when anything but reading makes no sense.
constexpr std::uint32_t open_flags(open_mode m) noexcept {
  int flags = O_CLOEXEC | O_NOCTTY;
  const bool writes = has(m, open_mode::create) || has(m, open_mode::create_new) ||
                      has(m, open_mode::truncate) || has(m, open_mode::append);
  if (has(m, open_mode::read_write)) {
    flags |= O_RDWR;
  } else if (has(m, open_mode::write) || (!has(m, open_mode::read) && writes)) {
    flags |= O_WRONLY;
  }
  if (has(m, open_mode::create)) flags |= O_CREAT;
  if (has(m, open_mode::create_new)) flags |= O_CREAT | O_EXCL;
  if (has(m, open_mode::truncate)) flags |= O_TRUNC;
  if (has(m, open_mode::append)) flags |= O_APPEND;
  if (has(m, open_mode::direct)) flags |= O_DIRECT;
  if (has(m, open_mode::data_sync)) flags |= O_DSYNC;
  if (has(m, open_mode::no_follow)) flags |= O_NOFOLLOW;
  return static_cast<std::uint32_t>(flags);
}
}  // namespace detail

}  // namespace penstock
