// penstock/io/file.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Files. Renaming, removing and directories: file_system.hpp; as a stream: read_chunks.hpp.

#include <penstock/base/taken.hpp>
#include <penstock/io/detail/file_awaiters.hpp>
#include <penstock/io/open_mode.hpp>

namespace penstock {
class file;

namespace detail {
class open_awaiter : public io_awaiter<open_awaiter> {
 public:
  open_awaiter(std::string path, open_mode mode, std::uint32_t permissions, int more_flags = 0)
      : io_awaiter(operation_kind::open), path_(std::move(path)) {
    fd = AT_FDCWD;
    flags = open_flags(mode) | static_cast<std::uint32_t>(more_flags);
    length = permissions;
  }
  open_awaiter(open_awaiter&& o) noexcept : io_awaiter(o), path_(std::move(o.path_)) {}
  ~open_awaiter() {
    if (settle()) opened_ = answer;
    if (opened_ >= 0) ::close(opened_);
  }
  suspension start(waiter& w) noexcept {
    address = path_.data();
    return launch(w);
  }
  template <class Result = result<file>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume();

 private:
  bool advance() noexcept override {
    opened_ = answer;
    return true;
  }
  std::string path_;
  int opened_ = -1;  // until it is taken
};
}  // namespace detail

/// What direct I/O needs of addresses, and of offsets and lengths. 1: nothing.
struct file_alignment {
  std::size_t memory = 1;
  std::size_t offset = 1;
};

/// An open file.
///
/// **Shape.** open -> operations, any number at once -> close() or the destructor.
/// **Errors.** as values, naming operation and path: "open '/x': No such file or directory".
/// **Suspends.** every operation, unless the driver has the result at once.
/// **Cancellation.** a stop cancels what is in flight and waits until the kernel has let go of the
/// buffer; what completed anyway is delivered.
/// **Thread-safety.** one loop at a time.
/// **Lifetime.** file and buffers stay where they are while an operation is in flight; the
/// destructor closes at once and drops the error.
/// **Example.** @snippet tests/io/file_test.cpp copy
/// **When not to use.** Pipes, terminals and sockets; a FIFO can block its opener for ever.
class [[nodiscard]] file {
 public:
  /// No file.
  file() noexcept = default;
  /// Takes `fd` over.
  file(int fd, std::string path) noexcept {
    f_.fd = fd;
    f_.path = std::move(path);
  }
  file(file&& o) noexcept : f_(std::move(o.f_)) { o.f_.fd = -1; }
  file& operator=(file&& o) noexcept {
    if (this != &o) {
      shut();
      f_ = std::move(o.f_);
      o.f_.fd = -1;
    }
    return *this;
  }
  ~file() { shut(); }

  /// Opens `path`.
  ///
  /// **Parameters.** `permissions` - of a file that is created, before the umask.
  /// **Result.** `result<file>`. With `open_mode::direct`, alignment() says what that needs here.
  [[nodiscard]] static detail::open_awaiter open(std::string path, open_mode mode,
                                                 std::uint32_t permissions = 0644) {
    return {std::move(path), mode, permissions};
  }

  /// Fills `to` from `offset` on.
  ///
  /// **Result.** `result<std::size_t>`: bytes read, fewer than asked only at the end of the file.
  [[nodiscard]] detail::read_awaiter read_at(std::uint64_t offset,
                                             std::span<std::byte> to) noexcept {
    return {checked(), offset, to};
  }
  /// Writes all of `from` from `offset` on.
  ///
  /// **Result.** `result<>`.
  /// **Cancellation.** a part may have been written.
  [[nodiscard]] detail::write_awaiter write_at(std::uint64_t offset,
                                               std::span<const std::byte> from) noexcept {
    return {checked(), offset, from, false};
  }
  /// Reads at the file's position, and moves it; one read_some or write_all at a time.
  ///
  /// **Result.** `result<std::size_t>`: bytes read, at least one; 0 at the end of the file.
  [[nodiscard]] detail::read_some_awaiter read_some(std::span<std::byte> to) noexcept {
    return {checked(), to};
  }
  /// Writes all of `from` at the file's position, and moves it behind what was written.
  ///
  /// **Result.** `result<>`.
  /// **Cancellation.** a part may have been written; the position is behind it.
  [[nodiscard]] detail::write_awaiter write_all(std::span<const std::byte> from) noexcept {
    return {checked(), 0, from, true};
  }

  /// Makes bytes and metadata durable.
  [[nodiscard]] detail::file_awaiter fsync() noexcept {
    return {operation_kind::sync, "fsync", checked(), 0, 0, 0};
  }
  /// Makes the bytes durable, and what is needed to read them.
  [[nodiscard]] detail::file_awaiter datasync() noexcept {
    return {operation_kind::sync, "datasync", checked(), operation::sync_data_only, 0, 0};
  }
  /// Reserves space for `length` bytes from `offset` on; the file grows to hold them.
  [[nodiscard]] detail::file_awaiter preallocate(std::uint64_t offset,
                                                 std::uint64_t length) noexcept {
    return {operation_kind::allocate, "preallocate", checked(), 0, offset, length};
  }
  /// Cuts or extends it to `size` bytes.
  [[nodiscard]] detail::file_awaiter truncate(std::uint64_t size) noexcept {
    return {operation_kind::truncate, "truncate", checked(), 0, 0, size};
  }
  /// **Result.** `result<file_status>`.
  [[nodiscard]] detail::stat_awaiter<file_status> stat() noexcept {
    return detail::stat_awaiter<file_status>(checked());
  }
  /// **Result.** `result<std::uint64_t>`: bytes.
  [[nodiscard]] detail::stat_awaiter<std::uint64_t> size() noexcept {
    return detail::stat_awaiter<std::uint64_t>(checked());
  }
  /// Closes it, and says how that went: some file systems report a failed write only here.
  ///
  /// **Result.** `result<>`; the file is closed in any case. Closed before: success.
  /// **Cancellation.** a close that has begun is finished.
  [[nodiscard]] detail::close_awaiter close() noexcept { return detail::close_awaiter(f_); }

  [[nodiscard]] bool is_open() const noexcept { return f_.fd >= 0; }
  [[nodiscard]] const std::string& path() const noexcept { return f_.path; }
  /// Where the next read_some or write_all is.
  [[nodiscard]] std::uint64_t position() const noexcept { return f_.position; }
  void seek(std::uint64_t position) noexcept { f_.position = position; }
  /// What direct I/O needs; {1, 1} for a file that was not opened for it.
  [[nodiscard]] file_alignment alignment() const noexcept {
    return {f_.memory_alignment, f_.offset_alignment};
  }
  /// The descriptor: still owned by this.
  [[nodiscard]] int native_handle() const noexcept { return f_.fd; }

 private:
  friend class detail::open_awaiter;

  detail::open_file& checked() noexcept {
    PENSTOCK_ASSERT(is_open(), "the file is not open");
    return f_;
  }
  void shut() noexcept {
    if (f_.fd >= 0) ::close(f_.fd);
    f_.fd = -1;
  }
  // The inode is in memory: it was just opened.
  void ask_alignment() noexcept {
    f_.direct = true;
    f_.memory_alignment = f_.offset_alignment = 4096;
#ifdef STATX_DIOALIGN
    struct ::statx s {};
    if (::statx(f_.fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &s) != 0) return;
    if (!(s.stx_mask & STATX_DIOALIGN) || s.stx_dio_offset_align == 0) return;
    f_.memory_alignment = s.stx_dio_mem_align;
    f_.offset_alignment = s.stx_dio_offset_align;
#endif
  }

  detail::open_file f_;
};

template <class Result>
Result detail::open_awaiter::await_resume() {
  if (answer < 0) return fail(errno_error(-answer), "open", path_);
  file opened(detail::exchanged(opened_, -1), std::move(path_));
  if (flags & O_DIRECT) opened.ask_alignment();
  return opened;
}

}  // namespace penstock
