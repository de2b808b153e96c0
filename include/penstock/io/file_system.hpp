// penstock/io/file_system.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Operations on paths: renaming, removing, directories, status. Their errors name operation and
/// path.

#include <penstock/core/ok.hpp>
#include <penstock/io/file.hpp>

#include <cstdio>

namespace penstock {

/// What `rename_file` does when the new name is taken.
enum class rename_mode : unsigned char {
  replace,     ///< the old file of that name is gone, atomically
  no_replace,  ///< an error, `std::errc::file_exists`
};

namespace detail {
class path_awaiter : public io_awaiter<path_awaiter> {
 public:
  path_awaiter(operation_kind k, const char* what, std::string path, std::string to,
               std::uint32_t with_flags, std::uint32_t permissions)
      : io_awaiter(k), what_(what), path_(std::move(path)), to_(std::move(to)) {
    fd = AT_FDCWD;
    flags = with_flags;
    length = permissions;
  }
  path_awaiter(path_awaiter&& o) noexcept
      : io_awaiter(o), what_(o.what_), path_(std::move(o.path_)), to_(std::move(o.to_)) {}
  ~path_awaiter() { settle(); }

  suspension start(waiter& w) noexcept {
    address = path_.data();
    if (kind == operation_kind::rename) other = to_.data();
    return launch(w);
  }
  [[nodiscard]] result<> await_resume() const {
    if (answer >= 0) return {};
    std::string names = path_;
    if (!to_.empty()) names += "' to '" + to_;
    return fail(errno_error(-answer), what_, names);
  }

 private:
  const char* what_;
  std::string path_;
  std::string to_;
};

class stat_path_awaiter : public io_awaiter<stat_path_awaiter> {
 public:
  explicit stat_path_awaiter(std::string path)
      : io_awaiter(operation_kind::stat), path_(std::move(path)) {
    fd = AT_FDCWD;
    length = STATX_BASIC_STATS;
  }
  stat_path_awaiter(stat_path_awaiter&& o) noexcept : io_awaiter(o), path_(std::move(o.path_)) {}
  ~stat_path_awaiter() { settle(); }

  suspension start(waiter& w) noexcept {
    address = path_.data();
    other = &statx_;
    return launch(w);
  }
  template <class Result = result<file_status>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() const {
    if (answer < 0) return fail(errno_error(-answer), "stat", path_);
    return status_of(statx_);
  }

 private:
  std::string path_;
  struct ::statx statx_;
};
}  // namespace detail

/// Gives the file at `from` the name `to`, atomically, on one file system.
///
/// **Result.** `result<>`. The new name is durable after `sync_directory` of its folder.
/// **Suspends.** as the operations of `file`; so do the functions below.
/// **Cancellation.** it may have happened or not: the answer of the kernel decides.
[[nodiscard]] inline detail::path_awaiter rename_file(std::string from, std::string to,
                                                      rename_mode mode = rename_mode::replace) {
  return {operation_kind::rename,
          "rename",
          std::move(from),
          std::move(to),
          mode == rename_mode::no_replace ? static_cast<std::uint32_t>(RENAME_NOREPLACE) : 0u,
          0};
}
/// Removes the name of a file.
[[nodiscard]] inline detail::path_awaiter remove_file(std::string path) {
  return {operation_kind::remove, "remove", std::move(path), {}, 0, 0};
}
/// Removes an empty directory.
[[nodiscard]] inline detail::path_awaiter remove_directory(std::string path) {
  return {operation_kind::remove, "remove directory", std::move(path), {}, AT_REMOVEDIR, 0};
}
/// Creates a directory; there already: `std::errc::file_exists`. Its parent must be there.
[[nodiscard]] inline detail::path_awaiter make_directory(std::string path,
                                                         std::uint32_t permissions = 0755) {
  return {operation_kind::make_directory, "make directory", std::move(path), {}, 0, permissions};
}
/// The status of what `path` names, through symbolic links.
///
/// **Result.** `result<file_status>`.
[[nodiscard]] inline detail::stat_path_awaiter stat_file(std::string path) {
  return detail::stat_path_awaiter(std::move(path));
}
/// Makes what was created, renamed and removed in a directory durable.
template <class Open = detail::open_awaiter>
[[nodiscard]] task<result<>> sync_directory(std::string path) {
  auto folder = co_await ok(Open(std::move(path), open_mode::read, 0, O_DIRECTORY));
  co_await ok(folder.fsync());
  co_return co_await folder.close();
}

}  // namespace penstock
