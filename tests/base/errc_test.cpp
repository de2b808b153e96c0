// tests/base/errc_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/errc.hpp>

#include <doctest/doctest.h>

#include <ostream>
#include <set>

namespace {

using penstock::errc;

// Stored, logged and sent: these numbers do not change.
static_assert(static_cast<int>(errc::canceled) == 1);
static_assert(static_cast<int>(errc::would_deadlock) == 8);
static_assert(static_cast<int>(errc::snoozed) == 19);
static_assert(std::is_error_code_enum_v<errc>);

TEST_CASE("every code has a message of its own, and the category a name") {
  std::set<std::string> messages;
  for (int i = 1; i <= 19; ++i) messages.insert(penstock::penstock_category().message(i));
  CHECK(messages.size() == 19);
  CHECK(messages.count("unknown error") == 0);
  CHECK(penstock::penstock_category().message(20) == "unknown error");
  CHECK(std::string(penstock::penstock_category().name()) == "penstock");
}

TEST_CASE("a code converts to std::error_code and compares with it") {
  const std::error_code code = errc::closed;
  CHECK(code.category() == penstock::penstock_category());
  CHECK(code == errc::closed);
  CHECK(code != errc::timed_out);
  CHECK(code.message() == "closed");
}

TEST_CASE("a code equals the std::errc of the same meaning, and only that") {
  const auto code = [](errc e) { return std::error_code(e); };
  CHECK(code(errc::timed_out) == std::errc::timed_out);
  CHECK(code(errc::canceled) == std::errc::operation_canceled);
  CHECK(code(errc::would_deadlock) == std::errc::resource_deadlock_would_occur);
  CHECK(code(errc::invalid_option) == std::errc::invalid_argument);
  CHECK(code(errc::not_found) == std::errc::no_such_file_or_directory);
  CHECK(code(errc::protocol_error) == std::errc::protocol_error);
  CHECK(code(errc::closed) != std::errc::timed_out);
  CHECK(std::make_error_code(std::errc::timed_out) != errc::timed_out);
}

}  // namespace
