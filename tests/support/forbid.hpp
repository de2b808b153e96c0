// tests/support/forbid.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// `support::forbid(SYS_io_uring_setup, EPERM)`: from here on that system call fails so in this
/// process, as under a container's seccomp profile. For a child process (child.hpp).
/// `support::forbid_code(SYS_io_uring_register, IORING_REGISTER_PBUF_RING, EINVAL)`: only with this
/// second argument.

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

namespace support {

template <std::size_t N>
bool confine(sock_filter (&program)[N]) {
  sock_fprog filter{};
  filter.len = N;
  filter.filter = program;
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

inline bool forbid(long call, int error_number) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error_number)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return confine(program);
}

inline bool forbid_code(long call, unsigned code, int error_number) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),  // its lower half
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, code, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error_number)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return confine(program);
}

}  // namespace support
