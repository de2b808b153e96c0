// tests/core/environment_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/environment.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <type_traits>
#include <vector>

using namespace penstock;
using detail::scope_stop;
using detail::stop_node;

namespace {
// Counts its stops; may do something in on_stop.
struct node : stop_node {
  ~node() { scope_stop::remove(*this); }
  void on_stop() noexcept override {
    ++stops;
    if (remove_also) scope_stop::remove(*remove_also);
    if (add_to) add_to->add(*this);
  }
  detail::wait_info info() const noexcept override { return {"node", this}; }
  int stops = 0;
  stop_node* remove_also = nullptr;
  scope_stop* add_to = nullptr;
};
int listed(const scope_stop& s) {
  int n = 0;
  s.for_each([&](const stop_node&) { ++n; });
  return n;
}
}  // namespace

static_assert(std::is_trivially_copyable_v<environment>);

TEST_CASE("the default environment has no deadline and no name") {
  environment e;
  CHECK(e.deadline == time_point::max());
  CHECK(*e.name == '\0');
}

TEST_CASE("a stop reaches every registered node once, and forgets it") {
  scope_stop s;
  node a, b, c;
  CHECK(s.try_add(a));
  CHECK(s.try_add(b));
  CHECK(s.try_add(c));
  CHECK(listed(s) == 3);
  scope_stop::remove(b);
  scope_stop::remove(b);
  CHECK(listed(s) == 2);
  CHECK(s.request_stop(stop_reason::deadline));
  CHECK_FALSE(s.request_stop(stop_reason::requested));
  CHECK(a.stops == 1);
  CHECK(b.stops == 0);
  CHECK(c.stops == 1);
  CHECK(listed(s) == 0);
  CHECK(s.reason() == stop_reason::deadline);
  CHECK(s.get_token().stop_requested());
}

TEST_CASE("after a stop nodes are refused, without a callback") {
  scope_stop s;
  node a;
  s.request_stop(stop_reason::requested);
  CHECK_FALSE(s.try_add(a));
  CHECK(a.stops == 0);
  s.add(a);  // listed for dumps all the same
  CHECK(listed(s) == 1);
}

TEST_CASE("nodes may be removed and added again while the stop goes round") {
  scope_stop s;
  node last, middle, first;
  s.try_add(last);
  s.try_add(middle);
  s.try_add(first);  // the newest is told first
  first.remove_also = &middle;
  last.add_to = &s;
  s.request_stop(stop_reason::requested);
  CHECK(first.stops == 1);
  CHECK(middle.stops == 0);
  CHECK(last.stops == 1);
  CHECK(listed(s) == 1);
}

TEST_CASE("removing the last one that is still to be told is fine") {
  scope_stop s;
  node second, first;
  s.try_add(second);
  s.try_add(first);
  first.remove_also = &second;
  s.request_stop(stop_reason::requested);
  CHECK(second.stops == 0);
  CHECK(listed(s) == 0);
}

TEST_CASE("callbacks of the scope's token run before its nodes are told") {
  scope_stop s;
  node a;
  s.try_add(a);
  int stops_then = -1;
  inplace_stop_callback c(s.get_token(), [&] { stops_then = a.stops; });
  s.request_stop(stop_reason::requested);
  CHECK(stops_then == 0);
  CHECK(a.stops == 1);
}
