// tests/base/log_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/log.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using penstock::log;
using penstock::log_level;
using penstock::log_record;

std::vector<std::string>& kept() {
  static std::vector<std::string> lines;
  return lines;
}
void keep(const log_record& r) noexcept {
  kept().push_back(std::string(to_string(r.level)) + " " + std::string(r.message));
}

TEST_CASE("messages of the level and above reach the sink") {
  kept().clear();
  const auto sink = penstock::set_log_sink(&keep);
  const auto level = penstock::set_log_level(log_level::warning);
  log(log_level::debug, "a");
  log(log_level::info, "b");
  log(log_level::warning, "c");
  log(log_level::error, "d");
  CHECK(kept() == std::vector<std::string>{"warning c", "error d"});
  CHECK_FALSE(penstock::log_enabled(log_level::info));
  CHECK(penstock::log_enabled(log_level::error));

  CHECK(penstock::set_log_level(log_level::off) == log_level::warning);
  log(log_level::error, "e");
  log(log_level::off, "f");
  CHECK(kept().size() == 2);

  penstock::set_log_level(level);
  const bool ours = penstock::set_log_sink(sink) == &keep;
  CHECK(ours);
}

TEST_CASE("null restores the default sink") {
  const auto before = penstock::set_log_sink(nullptr);
  const bool standard = penstock::set_log_sink(before) == &penstock::detail::log_to_stderr;
  CHECK(standard);
}

}  // namespace
