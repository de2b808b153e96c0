// tests/runtime/driver_harness.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Drives a driver without a loop: operations that remember what they were told, and turns until
/// something has happened.

#include <penstock/runtime/driver.hpp>

#include <string>
#include <vector>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

namespace harness {

struct recorded : penstock::operation {
  explicit recorded(penstock::operation_kind k = penstock::operation_kind::nop) : operation(k) {
    complete = [](penstock::operation& op) noexcept {
      auto& self = static_cast<recorded&>(op);
      ++self.completions;
      if (self.then) self.then(self);
    };
  }
  int completions = 0;
  void (*then)(recorded&) = nullptr;
  void* argument = nullptr;
};

inline recorded read_from(int fd, void* to, std::size_t n) {
  recorded op(penstock::operation_kind::read);
  op.fd = fd;
  op.address = to;
  op.length = static_cast<std::uint32_t>(n);
  op.offset = penstock::operation::at_position;
  return op;
}

/// Submits, and waits until it is over.
inline std::int32_t perform(penstock::driver& d, recorded& op) {
  const int before = op.completions;
  if (d.submit(op)) return op.answer;
  while (op.completions == before) d.wait((penstock::duration::max)());
  return op.answer;
}

struct pipe_ends {
  pipe_ends() {
    if (::pipe2(fd, O_CLOEXEC) != 0) fd[0] = fd[1] = -1;
  }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;
  ~pipe_ends() {
    ::close(fd[0]);
    ::close(fd[1]);
  }
  bool put(const char* text) const {
    const std::string s(text);
    return ::write(fd[1], s.data(), s.size()) == static_cast<ssize_t>(s.size());
  }
  int fd[2];
};

}  // namespace harness
