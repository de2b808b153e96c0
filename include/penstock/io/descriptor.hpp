// penstock/io/descriptor.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A descriptor of the system that somebody owns: what unix_stream.hpp hands over. Files and
/// sockets have types of their own.

#include <penstock/base/taken.hpp>

#include <unistd.h>

namespace penstock {

/// Owns a descriptor and closes it.
///
/// **Thread-safety.** distinct: safe; same object: one thread.
/// **Example.** @snippet tests/io/unix_stream_test.cpp descriptors
class [[nodiscard]] descriptor {
 public:
  /// None.
  descriptor() noexcept = default;
  /// Takes `fd` over; negative: none.
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& o) noexcept : fd_(o.release()) {}
  descriptor& operator=(descriptor&& o) noexcept {
    if (this != &o) reset(o.release());
    return *this;
  }
  ~descriptor() { reset(); }

  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int get() const noexcept { return fd_; }
  /// The descriptor, the caller's from here on.
  [[nodiscard]] int release() noexcept { return detail::exchanged(fd_, -1); }
  /// Closes it and takes `fd` over.
  void reset(int fd = -1) noexcept {
    if (const int old = detail::exchanged(fd_, fd); old >= 0) ::close(old);
  }

 private:
  int fd_ = -1;
};

}  // namespace penstock
