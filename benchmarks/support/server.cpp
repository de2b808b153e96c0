// SPDX-License-Identifier: BSL-1.0
#include "server.hpp"

#include "harness.hpp"
#include "machine.hpp"

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>

namespace bench {
namespace {

// One that nobody has at present.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* const address = reinterpret_cast<sockaddr*>(&where);
  check(::bind(fd, address, size) == 0 && ::getsockname(fd, address, &size) == 0, "no free port");
  ::close(fd);
  return ntohs(where.sin_port);
}

[[noreturn]] void become(const std::vector<std::string>& command) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pin_to_first_cpu();
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(words[0], words.data());
  std::perror(words[0]);
  ::_exit(127);
}

}  // namespace

server::server(const std::string& program, const std::vector<std::string>& arguments)
    : port_(free_port()) {
  std::vector<std::string> command = {program_folder() + '/' + program, std::to_string(port_)};
  command.insert(command.end(), arguments.begin(), arguments.end());
  int out[2];
  check(::pipe(out) == 0, "cannot make a pipe");
  pid_ = ::fork();
  check(pid_ >= 0, "cannot fork");
  if (pid_ == 0) {
    ::dup2(out[1], 1);
    ::close(out[0]);
    ::close(out[1]);
    become(command);
  }
  ::close(out[1]);
  std::string said;
  for (char c; said.find("ready\n") == std::string::npos && ::read(out[0], &c, 1) == 1;) said += c;
  check(said.find("ready\n") != std::string::npos, (program + " did not start").c_str());
  // What it says later is lost, and does not stop it: it ends by a signal.
  ::close(out[0]);
}

server::server(server&& o) noexcept : pid_(std::exchange(o.pid_, 0)), port_(o.port_) {}

server::~server() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

double server::cpu_seconds() const {
  clockid_t clock = 0;
  timespec t{};
  check(::clock_getcpuclockid(pid_, &clock) == 0 && ::clock_gettime(clock, &t) == 0,
        "a server has ended");
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::size_t server::resident_memory() const {
  std::ifstream in("/proc/" + std::to_string(pid_) + "/statm");
  std::size_t size = 0, resident = 0;
  in >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t server::sleeps() const {
  std::size_t all = 0;
  const std::string threads = "/proc/" + std::to_string(pid_) + "/task";
  for (const auto& thread : std::filesystem::directory_iterator(threads)) {
    std::ifstream in(thread.path() / "status");
    for (std::string word; in >> word;) {
      std::size_t count = 0;
      if (word == "voluntary_ctxt_switches:" && in >> count) all += count;
    }
  }
  return all;
}

}  // namespace bench
