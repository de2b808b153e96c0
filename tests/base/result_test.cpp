// tests/base/result_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/result.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace {

using penstock::as_result_t;
using penstock::errc;
using penstock::error;
using penstock::fail;
using penstock::is_result_v;
using penstock::result;
using penstock::result_value_t;

static_assert(std::is_same_v<result<>, tl::expected<void, error>>);
static_assert(is_result_v<result<int>> && is_result_v<const result<>> && !is_result_v<int>);
static_assert(!is_result_v<tl::expected<int, int>>);
static_assert(std::is_same_v<result_value_t<result<int>>, int>);
static_assert(std::is_void_v<result_value_t<result<>>>);
static_assert(std::is_same_v<as_result_t<int>, result<int>>);
static_assert(std::is_same_v<as_result_t<result<int>>, result<int>>);
static_assert(std::is_same_v<as_result_t<void>, result<>>);
static_assert(std::is_nothrow_move_constructible_v<result<std::unique_ptr<int>>>);
static_assert(sizeof(result<>) <= 32 && sizeof(result<std::size_t>) <= 32);

// [result]
result<int> parse_digit(char c) {
  if (c < '0' || c > '9')
    return fail(std::errc::invalid_argument, "parse", std::string_view(&c, 1));
  return c - '0';
}
// [/result]

TEST_CASE("a result is a value, or an error that says what failed") {
  CHECK(parse_digit('7') == 7);
  const auto r = parse_digit('x');
  REQUIRE_FALSE(r);
  CHECK(r.error() == std::errc::invalid_argument);
  CHECK(r.error().message() == "parse 'x': Invalid argument");
}

TEST_CASE("fail takes everything that names an error") {
  result<> r = fail(errc::closed);
  CHECK(r.error() == errc::closed);
  r = fail(std::errc::io_error);
  CHECK(r.error() == std::errc::io_error);
  r = fail(std::make_error_code(std::errc::io_error));
  CHECK(r.error() == std::errc::io_error);
  r = fail(error(errc::corrupt).with("read"));
  CHECK(r.error().message() == "read: corrupt data");
  r = fail(penstock::errno_error(2), "open", "f");
  CHECK(r.error().message() == "open 'f': No such file or directory");
  r = fail(errc::closed, "send");
  CHECK(r.error().message() == "send: closed");
}

TEST_CASE("a result moves what cannot be copied") {
  result<std::unique_ptr<int>> r = std::make_unique<int>(3);
  result<std::unique_ptr<int>> s = std::move(r);
  CHECK(**s == 3);
  s = fail(errc::timed_out);
  CHECK_FALSE(s);
  s = std::make_unique<int>(4);
  CHECK(**s == 4);
}

}  // namespace
