// tests/support/child.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `support::in_child(fn)` runs `fn` in a child process, where it may die of a signal, be confined
/// or change limits; `fn` gives the exit status.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

namespace support {

struct child_outcome {
  int status = -1;     ///< the exit status, or -1
  int signal = 0;      ///< what it died of, or 0
  std::string output;  ///< what it wrote to standard error
};

template <class Fn>
child_outcome in_child(Fn fn) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], 2);
    ::close(ends[0]);
    ::close(ends[1]);
    // The test program's own handlers would report the signal as a failure of the parent.
    for (int s : {SIGINT, SIGTERM, SIGABRT, SIGSEGV}) std::signal(s, SIG_DFL);
    int status = 99;
    try {
      status = fn();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "exception: %s\n", e.what());
    }
    std::fflush(nullptr);
    ::_exit(status);
  }
  ::close(ends[1]);
  child_outcome out;
  char some[512];
  for (;;) {
    const ssize_t n = ::read(ends[0], some, sizeof some);
    if (n <= 0) break;
    out.output.append(some, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) out.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) out.signal = WTERMSIG(status);
  return out;
}

}  // namespace support
