// tests/io/open_mode_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/open_mode.hpp>

#include <doctest/doctest.h>

using namespace penstock;

static_assert((open_mode::read | open_mode::write) == open_mode::read_write);
static_assert(has(open_mode::read_write | open_mode::direct, open_mode::write));
static_assert(!has(open_mode::read, open_mode::read_write));

namespace {
constexpr std::uint32_t flags(open_mode m) {
  return detail::open_flags(m) & ~static_cast<std::uint32_t>(O_CLOEXEC | O_NOCTTY);
}
}  // namespace

TEST_CASE("modes become the flags of open") {
  CHECK(flags(open_mode::read) == O_RDONLY);
  CHECK(flags(open_mode::write) == O_WRONLY);
  CHECK(flags(open_mode::read_write) == O_RDWR);
  CHECK(flags(open_mode::write | open_mode::create) == (O_WRONLY | O_CREAT));
  CHECK(flags(open_mode::write | open_mode::create_new) == (O_WRONLY | O_CREAT | O_EXCL));
  CHECK(flags(open_mode::write | open_mode::truncate) == (O_WRONLY | O_TRUNC));
  CHECK(flags(open_mode::read | open_mode::direct) == (O_RDONLY | O_DIRECT));
  CHECK(flags(open_mode::write | open_mode::data_sync) == (O_WRONLY | O_DSYNC));
  CHECK(flags(open_mode::read | open_mode::no_follow) == (O_RDONLY | O_NOFOLLOW));
}

TEST_CASE("what only makes sense for writing opens for writing") {
  CHECK(flags(open_mode::append) == (O_WRONLY | O_APPEND));
  CHECK(flags(open_mode::create | open_mode::truncate) == (O_WRONLY | O_CREAT | O_TRUNC));
  CHECK(flags(open_mode::read | open_mode::create) == (O_RDONLY | O_CREAT));
}

TEST_CASE("descriptors are not inherited by programs that are started") {
  CHECK((detail::open_flags(open_mode::read) & O_CLOEXEC) != 0);
}
