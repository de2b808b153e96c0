// penstock/adapters/file/detail/manifest.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a folder remembers of an unfinished object: a file that says which upload it is and which
/// parts are whole, a line each with a checksum. Whoever has it locked owns the object's name.
///
///     93c0d2f1 partial 1 ID SIZE PART_SIZE COUNT
///     0b7e11d3 part INDEX SIZE CRC32C

#include <penstock/core/offload.hpp>
#include <penstock/io/file.hpp>
#include <penstock/upload/journal_core.hpp>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace penstock::detail {

inline std::string manifest_header(std::string_view id, const part_plan& plan) {
  std::string text = "partial 1 ";
  text += id;
  for (const std::uint64_t n : {plan.length, plan.part_size, std::uint64_t{plan.count}}) {
    text += ' ';
    text += std::to_string(n);
  }
  return journal_line(text);
}

// The right to a name, until it ends or the process does. Its descriptor never meets a ring, which
// would keep it, and the lock, for a while after the end of a killed process.
class manifest_lock {
 public:
  manifest_lock() noexcept = default;
  manifest_lock(manifest_lock&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  manifest_lock& operator=(manifest_lock&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~manifest_lock() {
    if (fd_ >= 0) ::close(fd_);
  }

  // Blocking system calls: for the cpu pool. Does not wait for another owner.
  static result<manifest_lock> take(const std::string& path, bool create) {
    for (;;) {
      manifest_lock l;
      l.fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0644);
      if (l.fd_ < 0) return fail(errno_error(errno), "open", path);
      if (::flock(l.fd_, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
          return fail(std::errc::device_or_resource_busy, "lock for another upload", path);
        // A file system without locks: then the user sees to it.
        if (errno != ENOLCK && errno != EOPNOTSUPP && errno != ENOSYS)
          return fail(errno_error(errno), "lock", path);
      }
      struct ::stat s {};
      if (::fstat(l.fd_, &s) != 0) return fail(errno_error(errno), "stat", path);
      if (s.st_nlink != 0) return l;  // else its owner has just removed it
    }
  }

 private:
  int fd_ = -1;
};
inline task<result<manifest_lock>> lock_manifest(std::string path, bool create) {
  auto take = [&] { return manifest_lock::take(path, create); };
  co_return co_await offload(std::ref(take));
}

// The records of `text`, if it is the manifest of this upload; returns where they end, or 0.
inline std::uint64_t parse_manifest(std::string_view text, std::string_view id,
                                    const part_plan& plan,
                                    std::vector<std::optional<part_receipt>>& parts) {
  const std::string header = manifest_header(id, plan);
  if (!text.starts_with(header)) return 0;
  journal_state state;
  state.plan = plan;
  state.parts.resize(plan.count);
  const std::uint64_t end = parse_parts(text, header.size(), state);
  parts = std::move(state.parts);
  return end;
}

}  // namespace penstock::detail
