// penstock/runtime/detail/uring_reason.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Why io_uring does not start, as far as it can be known: one clause for an error's sentence.

#include <penstock/base/result.hpp>

#include <sys/resource.h>
#include <cerrno>
#include <cstdio>
#include <string>

namespace penstock::detail {

// The value of kernel.io_uring_disabled; 0 also where there is no such setting.
inline int uring_disabled_setting() noexcept {
  int value = 0;
  if (std::FILE* f = std::fopen("/proc/sys/kernel/io_uring_disabled", "re")) {
    if (std::fscanf(f, "%d", &value) != 1) value = 0;
    std::fclose(f);
  }
  return value;
}

inline std::string uring_reason(int number, int disabled) {
  switch (number) {
    case EPERM:
      if (disabled == 2) return "the setting kernel.io_uring_disabled is 2";
      if (disabled == 1)
        return "the setting kernel.io_uring_disabled is 1, and this process is not in the group of "
               "kernel.io_uring_group";
      return "most likely the seccomp profile of a container forbids it";
    case ENOSYS:
      return "the kernel has none, or the seccomp profile of a container hides it";
    case ENOMEM: {
      rlimit limit{};
      ::getrlimit(RLIMIT_MEMLOCK, &limit);
      if (limit.rlim_cur == RLIM_INFINITY) return "memory is out";
      return "most likely the limit of locked memory is too low: ulimit -l is " +
             std::to_string(limit.rlim_cur / 1024) + " KiB";
    }
    case EMFILE:
    case ENFILE:
      return "too many files are open";
    case EINVAL:
      return "most likely the kernel is too old";
    case EOPNOTSUPP:
      return "most likely the kernel is too old, or a seccomp profile forbids io_uring_register";
    default:
      return "the kernel refused";
  }
}

// The error of a driver that could not start.
inline error uring_error(int number) {
  std::string what = "start io_uring (errno " + std::to_string(number) + ", " +
                     uring_reason(number, uring_disabled_setting()) + ")";
  return errno_error(number).with(what);
}

}  // namespace penstock::detail
