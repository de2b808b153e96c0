// tests/base/scope_exit_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/scope_exit.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

using penstock::scope_exit;

TEST_CASE("the callable runs once, at the end of the scope, last first") {
  std::string order;
  {
    scope_exit first{[&] { order += "a"; }};
    scope_exit second{[&] { order += "b"; }};
    order += "-";
  }
  CHECK(order == "-ba");
}

TEST_CASE("it runs when an exception leaves the scope") {
  bool ran = false;
  try {
    scope_exit note{[&] { ran = true; }};
    throw 1;
  } catch (int) {
  }
  CHECK(ran);
}

TEST_CASE("released or moved from, it runs nothing") {
  int runs = 0;
  {
    scope_exit dropped{[&] { ++runs; }};
    dropped.release();
    scope_exit from{[&] { ++runs; }};
    scope_exit to{std::move(from)};
    CHECK(runs == 0);
  }
  CHECK(runs == 1);
}

}  // namespace
