// tests/sync/members_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace penstock;

namespace {
// As members of an aggregate they need no initialisers.
struct state {
  std::string name;
  mutex one;
  shared_mutex readers;
  condition changed;
  event ready;
  auto_reset_event signal;
  oneshot<int> answer;
  unbounded_channel<int> log;
  topics<std::string, int> rooms;
  single_flight<int, int> loads;
  once started;
};
}  // namespace

TEST_CASE("primitives are members of an aggregate") {
  const state s{};
  CHECK(s.name.empty());
  CHECK(!s.one.locked());
  CHECK(!s.ready.is_set());
}
