// tests/core/when_all_range_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "probes.hpp"

using namespace penstock;
using namespace std::chrono_literals;
using probes::failure;

namespace {
task<int> value(duration d, int x) {
  co_await sleep_for(d);
  co_return x;
}
task<> nothing(duration d) { co_await sleep_for(d); }
task<result<int>> maybe(duration d, int x) {
  co_await sleep_for(d);
  if (x < 0) co_return fail(errc::exhausted);
  co_return x;
}
task<result<>> fails(duration d, errc e) {
  co_await sleep_for(d);
  co_return fail(e);
}
task<> throws(duration d, const char* what) {
  co_await sleep_for(d);
  throw failure(what);
}
}  // namespace

PENSTOCK_TEST("the range form keeps the order") {
  std::vector<task<int>> some;
  for (int i = 0; i < 20; ++i) some.push_back(value((20 - i) * 1ms, i));
  auto values = co_await when_all(std::move(some));
  REQUIRE(values.size() == 20);
  for (int i = 0; i < 20; ++i) CHECK(values[static_cast<std::size_t>(i)] == i);
  CHECK(rt.now() == time_point(20ms));

  std::vector<task<result<int>>> good, bad;
  good.push_back(maybe(1ms, 1));
  good.push_back(maybe(2ms, 2));
  auto g = co_await when_all(std::move(good));
  CHECK(g.value() == std::vector{1, 2});
  bad.push_back(maybe(1h, 1));
  bad.push_back(maybe(1ms, -1));
  auto b = co_await when_all(std::move(bad));
  CHECK(b.error() == errc::exhausted);
  auto none = co_await when_all(std::vector<task<result<>>>());
  CHECK(none.value().empty());
  std::vector<task<result<>>> voids;
  voids.push_back(fails(1ms, errc::closed));
  CHECK((co_await when_all(std::move(voids))).error() == errc::closed);
}

PENSTOCK_TEST("when_all_settled gives each one's own outcome and stops nobody") {
  auto [a, b, c] = co_await when_all_settled(maybe(5ms, 1), fails(1ms, errc::closed), nothing(2ms));
  CHECK(a.value() == 1);
  CHECK(b.error() == errc::closed);
  static_cast<void>(c);
  CHECK(rt.now() == time_point(5ms));
  std::vector<task<result<int>>> some;
  some.push_back(maybe(1ms, -1));
  some.push_back(maybe(2ms, 2));
  auto all = co_await when_all_settled(std::move(some));
  CHECK(all[0].error() == errc::exhausted);
  CHECK(all[1].value() == 2);
  bool ended = false;
  auto other = [&]() -> task<> {
    co_await sleep_for(3ms);
    ended = true;
  };
  std::string what;
  try {
    co_await when_all_settled(other(), throws(1ms, "one"));
  } catch (const failure& e) {
    what = e.what();
  }
  CHECK(what == "one");
  CHECK(ended);
}
