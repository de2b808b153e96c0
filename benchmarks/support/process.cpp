// SPDX-License-Identifier: BSL-1.0
#include "harness.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace bench {

std::size_t resident_memory() {
  std::ifstream in("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  in >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

const std::string& program_folder() {
  static const std::string folder = [] {
    char path[4096];
    const auto n = ::readlink("/proc/self/exe", path, sizeof path);
    const std::string whole(path, n > 0 ? static_cast<std::size_t>(n) : 0);
    return whole.substr(0, whole.rfind('/'));
  }();
  return folder;
}

values run_program(const std::vector<std::string>& command, const std::vector<std::string>& names) {
  int out[2];
  check(::pipe(out) == 0, "cannot make a pipe");
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(out[1], 1);
    ::close(out[0]);
    ::close(out[1]);
    ::execvp(words[0], words.data());
    std::perror(words[0]);
    ::_exit(127);
  }
  ::close(out[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(out[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(out[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  check(child > 0 && status == 0, (command[0] + " failed").c_str());

  std::map<std::string, double> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, 7, "RESULT ") != 0) continue;
    std::istringstream in(line.substr(7));
    for (std::string word; in >> word;) {
      const auto equals = word.find('=');
      if (equals == std::string::npos) continue;
      found[word.substr(0, equals)] = std::atof(word.c_str() + equals + 1);
    }
  }
  values v{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    check(found.count(names[i]) == 1, (command[0] + " did not report " + names[i]).c_str());
    v[i] = found[names[i]];
  }
  return v;
}

}  // namespace bench
