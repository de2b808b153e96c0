// tests/test/seeds_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/test/seeds.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

using penstock::test::seeds;

namespace {
// Sets a variable of the environment for a scope.
class variable {
 public:
  variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old, had_ = true;
    if (value)
      ::setenv(name, value, 1);
    else
      ::unsetenv(name);
  }
  ~variable() {
    if (had_)
      ::setenv(name_, old_.c_str(), 1);
    else
      ::unsetenv(name_);
  }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

 private:
  const char* name_;
  std::string old_;
  bool had_ = false;
};

std::vector<std::uint64_t> all(std::uint64_t count) {
  std::vector<std::uint64_t> out;
  for (auto seed : seeds(count)) out.push_back(seed);
  return out;
}
using list = std::vector<std::uint64_t>;
}  // namespace

TEST_CASE("seeds walks the range that the environment sets") {
  variable only("PENSTOCK_TEST_SEED", nullptr), base("PENSTOCK_TEST_SEED_BASE", nullptr),
      times("PENSTOCK_TEST_SEEDS", nullptr), seconds("PENSTOCK_TEST_SECONDS", nullptr);
  CHECK(all(3) == list{0, 1, 2});
  CHECK(all(0).empty());
  {
    variable more("PENSTOCK_TEST_SEEDS", "2"), from("PENSTOCK_TEST_SEED_BASE", "10");
    CHECK(all(2) == list{10, 11, 12, 13});
    variable one("PENSTOCK_TEST_SEED", "7");
    CHECK(all(2) == list{7});
  }
  variable none("PENSTOCK_TEST_SECONDS", "0");
  CHECK(all(5) == list{0});  // one round always
}
