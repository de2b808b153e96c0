// penstock/io/detail/file_awaiters.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// The awaiters of operations on an open file.

#include <penstock/base/lesser.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/io/detail/io_leaf.hpp>
#include <penstock/io/file_status.hpp>

#include <unistd.h>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace penstock::detail {

// What a `file` is.
struct open_file {
  std::string path;
  std::uint64_t position = 0;  // of read_some and write_all
  std::uint32_t memory_alignment = 1;
  std::uint32_t offset_alignment = 1;
  int fd = -1;
  bool direct = false;
};

// What a direct operation needs, when the kernel refused it for that.
PENSTOCK_NOINLINE inline error transfer_error(const open_file& f, const operation& op) noexcept {
  const char* const name = op.kind == operation_kind::read ? "read" : "write";
  error e = errno_error(-op.answer);
  const auto address = reinterpret_cast<std::uintptr_t>(op.address);
  const bool aligned = address % f.memory_alignment == 0 && op.length % f.offset_alignment == 0 &&
                       op.offset % f.offset_alignment == 0;
  if (!f.direct || op.answer != -EINVAL || aligned) return std::move(e).with(name, f.path);
  try {
    return std::move(e).with("direct " + std::string(name) + " of " + std::to_string(op.length) +
                                 " bytes at offset " + std::to_string(op.offset) +
                                 " (the buffer must be aligned to " +
                                 std::to_string(f.memory_alignment) + ", offset and length to " +
                                 std::to_string(f.offset_alignment) + ")",
                             f.path);
  } catch (...) {
    return e;
  }
}

// One transfer takes at most this; a multiple of every alignment.
inline constexpr std::size_t longest_transfer = std::size_t{1} << 30;

class transfer_leaf : protected io_leaf {
 protected:
  transfer_leaf(operation_kind k, open_file& f, std::byte* data, std::size_t size,
                std::uint64_t at) noexcept
      : io_leaf(k), file_(&f), size_(size) {
    fd = f.fd;
    address = data;
    offset = at;
    flags = f.direct ? direct : 0;
    length = static_cast<std::uint32_t>(detail::lesser(size, longest_transfer));
  }
  transfer_leaf(const transfer_leaf&) = default;

  // True: nothing is left.
  bool consume() noexcept {
    const auto n = static_cast<std::size_t>(answer);
    done_ += n;
    if (done_ == size_) return true;
    address = static_cast<std::byte*>(address) + n;
    offset += n;
    length = static_cast<std::uint32_t>(detail::lesser(size_ - done_, longest_transfer));
    return false;
  }

  open_file* file_;
  std::size_t size_;
  std::size_t done_ = 0;
};

// Fills the span, less only at the end of the file.
class read_awaiter : public leaf<read_awaiter>, transfer_leaf {
 public:
  read_awaiter(open_file& f, std::uint64_t at, std::span<std::byte> to) noexcept
      : transfer_leaf(operation_kind::read, f, to.data(), to.size(), at) {}
  read_awaiter(const read_awaiter& o) noexcept : leaf<read_awaiter>(), transfer_leaf(o) {}

  bool await_ready() const noexcept { return size_ == 0; }
  suspension start(waiter& w) noexcept { return launch(w); }
  template <class Result = result<std::size_t>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() const noexcept {
    if (answer < 0) return fail(transfer_error(*file_, *this));
    return done_;
  }

 private:
  // A direct read that ends off the grid has met the end of the file.
  bool advance() noexcept override {
    return answer <= 0 || consume() || offset % file_->offset_alignment != 0;
  }
};

// One read at the file's position.
class read_some_awaiter : public leaf<read_some_awaiter>, transfer_leaf {
 public:
  read_some_awaiter(open_file& f, std::span<std::byte> to) noexcept
      : transfer_leaf(operation_kind::read, f, to.data(), to.size(), 0) {}
  read_some_awaiter(const read_some_awaiter& o) noexcept
      : leaf<read_some_awaiter>(), transfer_leaf(o) {}

  bool await_ready() const noexcept { return size_ == 0; }
  suspension start(waiter& w) noexcept {
    offset = file_->position;
    return launch(w);
  }
  template <class Result = result<std::size_t>>  // as in io_leaf.hpp
  [[nodiscard]] Result await_resume() const noexcept {
    if (answer < 0) return fail(transfer_error(*file_, *this));
    return static_cast<std::size_t>(answer);
  }

 private:
  bool advance() noexcept override {
    if (answer > 0) file_->position += static_cast<std::uint64_t>(answer);
    return true;
  }
};

// Writes all, at an offset or at the file's position.
class write_awaiter : public leaf<write_awaiter>, transfer_leaf {
 public:
  write_awaiter(open_file& f, std::uint64_t at, std::span<const std::byte> from,
                bool moves) noexcept
      : transfer_leaf(operation_kind::write, f, const_cast<std::byte*>(from.data()), from.size(),
                      at),
        moves_(moves) {}
  write_awaiter(const write_awaiter& o) noexcept
      : leaf<write_awaiter>(), transfer_leaf(o), moves_(o.moves_) {}

  bool await_ready() const noexcept { return size_ == 0; }
  suspension start(waiter& w) noexcept {
    if (moves_) offset = file_->position;
    return launch(w);
  }
  [[nodiscard]] result<> await_resume() const noexcept {
    if (answer < 0) return fail(transfer_error(*file_, *this));
    return {};
  }

 private:
  bool advance() noexcept override {
    if (answer < 0) return true;
    if (moves_) file_->position += static_cast<std::uint64_t>(answer);
    if (answer == 0) answer = -EIO;  // a device that takes nothing
    return answer < 0 || consume();
  }
  bool moves_;
};

// sync, preallocate, truncate: no answer but success.
class file_awaiter : public io_awaiter<file_awaiter> {
 public:
  file_awaiter(operation_kind k, const char* verb, open_file& f, std::uint32_t with_flags,
               std::uint64_t at, std::uint64_t size) noexcept
      : io_awaiter(k), file_(&f), verb_(verb) {
    fd = f.fd;
    flags = with_flags;
    offset = at;
    extent = size;
  }
  suspension start(waiter& w) noexcept { return launch(w); }
  [[nodiscard]] result<> await_resume() const noexcept {
    if (answer < 0) return fail(errno_error(-answer), verb_, file_->path);
    return {};
  }

 private:
  open_file* file_;
  const char* verb_;
};

// fd or path: the status, or its size.
template <class T>
class stat_awaiter : public io_awaiter<stat_awaiter<T>> {
 public:
  explicit stat_awaiter(open_file& f) noexcept
      : io_awaiter<stat_awaiter>(operation_kind::stat), file_(&f) {
    this->fd = f.fd;
    this->flags = AT_EMPTY_PATH;
    this->length = STATX_BASIC_STATS;
  }
  suspension start(waiter& w) noexcept {
    this->address = const_cast<char*>("");
    this->other = &statx_;
    return this->launch(w);
  }
  [[nodiscard]] result<T> await_resume() const noexcept {
    if (this->answer < 0) return fail(errno_error(-this->answer), "stat", file_->path);
    if constexpr (std::is_same_v<T, file_status>)
      return status_of(statx_);
    else
      return std::uint64_t{statx_.stx_size};
  }

 private:
  open_file* file_;
  struct ::statx statx_;
};

// Once it has begun the descriptor is the file's no more, whatever the outcome.
class close_awaiter : public io_awaiter<close_awaiter> {
 public:
  explicit close_awaiter(open_file& f) noexcept : io_awaiter(operation_kind::close), file_(&f) {
    keep_running();
  }
  close_awaiter(const close_awaiter& o) noexcept : io_awaiter(o), file_(o.file_) { keep_running(); }

  bool await_ready() const noexcept { return file_->fd < 0; }
  suspension start(waiter& w) noexcept {
    if (stop_requested(w)) return stopped_now(w);
    fd = detail::exchanged(file_->fd, -1);
    return launch(w);
  }
  [[nodiscard]] result<> await_resume() const noexcept {
    if (answer < 0) return fail(errno_error(-answer), "close", file_->path);
    return {};
  }

 private:
  bool advance() noexcept override {
    if (answer == -EINTR) answer = 0;  // closed all the same
    if (answer == -ECANCELED) answer = ::close(fd) == 0 ? 0 : -errno;
    return true;
  }
  open_file* file_;
};

}  // namespace penstock::detail
