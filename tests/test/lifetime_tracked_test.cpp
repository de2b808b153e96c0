// tests/test/lifetime_tracked_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/test/lifetime_tracked.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

using penstock::test::lifetime_log;
using penstock::test::lifetime_tracked;

TEST_CASE("lifetime_tracked counts live objects, copies and moves") {
  lifetime_log log;
  {
    lifetime_tracked a(log, 1);
    lifetime_tracked b = a;
    lifetime_tracked c = std::move(a);
    CHECK(log.live() == 3);
    CHECK(log.values() == 2);
    CHECK(log.copies() == 1);
    CHECK(log.moves() == 1);
    CHECK(a.moved_from());
    CHECK(c.value() == 1);
    CHECK(b == c);
    a = b;
    CHECK(log.values() == 3);
    b = std::move(c);
    CHECK(log.values() == 2);
    CHECK(log.copies() == 2);
    CHECK(log.moves() == 2);
    auto& self = a;
    a = self;
    CHECK(a.value() == 1);
  }
  CHECK(log.clean());
  CHECK(log.values() == 0);
}

TEST_CASE("lifetime_tracked follows a container") {
  lifetime_log log;
  {
    std::vector<lifetime_tracked> all;
    for (int i = 0; i < 100; ++i) all.emplace_back(log, i);
    all.erase(all.begin(), all.begin() + 50);
    CHECK(log.live() == 50);
    CHECK(log.values() == 50);
    CHECK(all.front().value() == 50);
  }
  CHECK(log.clean());
}

TEST_CASE("lifetime_tracked notices use after the end, a second end, and bytewise copies") {
  lifetime_log log;
  alignas(lifetime_tracked) unsigned char memory[2][sizeof(lifetime_tracked)];
  auto* t = ::new (memory[0]) lifetime_tracked(log, 5);
  std::destroy_at(t);
  CHECK(log.misuses() == 0);
  static_cast<void>(t->value());
  CHECK(log.misuses() == 1);
  std::destroy_at(t);
  CHECK(log.misuses() == 2);
  CHECK_FALSE(log.clean());

  t = ::new (memory[0]) lifetime_tracked(log, 6);
  std::memcpy(memory[1], memory[0], sizeof memory[0]);
  auto* moved = std::launder(reinterpret_cast<lifetime_tracked*>(memory[1]));
  CHECK(moved->value() == -1);
  std::destroy_at(moved);
  CHECK(log.misuses() == 4);
  CHECK(log.live() == 1);
  std::destroy_at(t);
  CHECK(log.live() == 0);
  CHECK(lifetime_log().misuses() == 0);
}
