// tests/support/stopped.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `support::stopped_with(fn)`: the message with which `fn` breaks a contract or stops the program,
/// or
/// "" when it ends as usual. Runs in a child process, so that noexcept functions can be tried too.

#include <penstock/base/assert.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

namespace support {

inline int stopped_pipe = -1;

template <class Fn>
std::string stopped_with(Fn fn) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    stopped_pipe = ends[1];
    penstock::set_assert_handler([](const penstock::assert_failure& f) {
      static_cast<void>(!::write(stopped_pipe, f.message, std::strlen(f.message)));
      ::_exit(1);
    });
    fn();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string message;
  char some[256];
  for (;;) {
    const ssize_t n = ::read(ends[0], some, sizeof some);
    if (n <= 0) break;
    message.append(some, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return message;
}

}  // namespace support
