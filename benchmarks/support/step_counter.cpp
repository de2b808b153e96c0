// SPDX-License-Identifier: BSL-1.0
#include "step_counter.hpp"

#include "machine.hpp"

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <limits>
#include <unordered_map>

namespace bench {

step_counter::step_counter(pid_t child) : child_(child), thread_([this] { trace(); }) {
  while (!attached_ && !failed_) std::this_thread::yield();
}

step_counter::~step_counter() {
  stopping_ = true;
  if (!failed_) ::kill(child_, SIGURG);  // the tracer keeps it to itself
  thread_.join();
}

step_counts step_counter::when_idle() const {
  std::uint64_t before = 0;
  do {
    before = instructions_;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  } while (before != instructions_);
  if (failed_)
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  return {static_cast<double>(instructions_), static_cast<double>(system_calls_)};
}

#ifdef __x86_64__

void step_counter::trace() {
  pin_to_first_cpu();  // where the program is: the two take turns
  int status = 0;
  if (::ptrace(PTRACE_SEIZE, child_, nullptr, nullptr) != 0 ||
      ::ptrace(PTRACE_INTERRUPT, child_, nullptr, nullptr) != 0 ||
      ::waitpid(child_, &status, __WALL) != child_) {
    failed_ = true;
    return;
  }
  attached_ = true;
  std::unordered_map<std::uint64_t, bool> known;  // whether a system call is there
  std::uint64_t last = 0;
  int signal = 0;
  for (;;) {
    const auto at = static_cast<std::uint64_t>(
        ::ptrace(PTRACE_PEEKUSER, child_, offsetof(user_regs_struct, rip), nullptr));
    auto found = known.find(at);
    if (found == known.end()) {
      constexpr long syscall_code = 0x050f;
      const long code = ::ptrace(PTRACE_PEEKTEXT, child_, at, nullptr);
      found = known.emplace(at, (code & 0xffff) == syscall_code).first;
    }
    // A string instruction stops after each element.
    if (at != last || found->second) ++instructions_;
    if (found->second) ++system_calls_;
    last = at;
    if (::ptrace(PTRACE_SINGLESTEP, child_, nullptr, signal) != 0 ||
        ::waitpid(child_, &status, __WALL) != child_ || !WIFSTOPPED(status)) {
      return;
    }
    signal = WSTOPSIG(status) == SIGTRAP || WSTOPSIG(status) == SIGURG ? 0 : WSTOPSIG(status);
    if (stopping_) break;
  }
  ::ptrace(PTRACE_DETACH, child_, nullptr, signal);
}

#else

void step_counter::trace() { failed_ = true; }

#endif

}  // namespace bench
