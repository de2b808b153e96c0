// tests/stream/dead_letters_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/recover.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace penstock;

namespace {
struct order {
  std::string id;
  int amount = 0;
};

// [dead_letters]
result<int> price_of(order o) {
  if (o.amount > 0) return o.amount * 5;
  return tl::unexpected(error(errc::corrupt).with("price", o.id).attach(std::move(o)));
}
task<result<int>> price_all(std::vector<order> orders, std::vector<order>& dead_letters) {
  const auto keep = [&](error e) -> result<std::optional<int>> {
    const order* failed = e.attached<order>();  // null: not an error of an order
    if (!failed) return fail(std::move(e));
    dead_letters.push_back(*failed);
    return std::nullopt;
  };
  const auto sum = [](int all, int one) { return all + one; };
  co_return co_await (from(std::move(orders)) | map(price_of) | recover(keep) | fold(0, sum));
}
// [/dead_letters]
}  // namespace

TEST_CASE("recover() finds the item that has failed where its error carries it") {
  test::test_runtime rt;
  std::vector<order> dead;
  const auto all = rt.run(price_all({{"a", 1}, {"b", 0}, {"c", 3}, {"d", -1}}, dead));
  CHECK(all.value() == 20);
  CHECK(dead.size() == 2);
  CHECK(dead[0].id == "b");
  CHECK(dead[1].amount == -1);
}
