// tests/base/intrusive_list_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/intrusive_list.hpp>

#include <doctest/doctest.h>

#include <iterator>
#include <list>
#include <memory>
#include <vector>

#include <penstock/base/random.hpp>

#include "support/seeds.hpp"
#include "support/stopped.hpp"

namespace {

using penstock::detail::intrusive_list;
using penstock::detail::list_node;
using penstock::detail::tagged_list_node;

struct item : list_node {
  explicit item(int n = 0) : number(n) {}
  int number;
};
using items = intrusive_list<item>;

static_assert(sizeof(items) == 2 * sizeof(void*) && sizeof(list_node) == 2 * sizeof(void*));
static_assert(std::is_nothrow_move_constructible_v<items> && !std::is_copy_constructible_v<items>);
static_assert(std::forward_iterator<items::iterator>);
constinit items constant_initialised;

std::vector<int> numbers(const items& list) {
  std::vector<int> all;
  for (const item& i : list) all.push_back(i.number);
  return all;
}

TEST_CASE("elements come out in the order of the queue") {
  items list;
  item a(1), b(2), c(3);
  CHECK(list.empty());
  CHECK(list.pop_front() == nullptr);
  CHECK(list.front() == nullptr);
  CHECK(list.back() == nullptr);
  list.push_back(a);
  list.push_back(b);
  list.push_front(c);
  CHECK(numbers(list) == std::vector{3, 1, 2});
  CHECK(list.front() == &c);
  CHECK(list.back() == &b);
  CHECK(list.pop_front() == &c);
  CHECK_FALSE(c.linked());
  CHECK(a.linked());
  CHECK(list.pop_front() == &a);
  CHECK(list.pop_front() == &b);
  CHECK(list.empty());
  CHECK(constant_initialised.empty());
}

TEST_CASE("any element can be taken out, the only one too") {
  items list;
  item a(1), b(2), c(3);
  for (auto* i : {&a, &b, &c}) list.push_back(*i);
  list.erase(b);
  CHECK(numbers(list) == std::vector{1, 3});
  list.erase(a);
  CHECK(numbers(list) == std::vector{3});
  list.push_back(a);
  list.erase(a);
  CHECK(list.back() == &c);
  list.erase(c);
  CHECK(list.empty());
  CHECK(list.back() == nullptr);
  CHECK_FALSE(c.linked());
}

TEST_CASE("a list can be moved and appended to another") {
  items one, two;
  item a(1), b(2), c(3);
  one.push_back(a);
  two.push_back(b);
  two.push_back(c);
  one.splice(two);
  CHECK(two.empty());
  CHECK(numbers(one) == std::vector{1, 2, 3});
  two.splice(one);
  CHECK(numbers(two) == std::vector{1, 2, 3});
  one.splice(one);
  two.splice(two);
  two.splice(one);
  CHECK(numbers(two) == std::vector{1, 2, 3});
  items three = std::move(two);
  CHECK(numbers(three) == std::vector{1, 2, 3});
  three.erase(b);
  three.erase(a);
  CHECK(numbers(three) == std::vector{3});
  three.erase(c);
}

TEST_CASE("the copy of an element is in no list") {
  items list;
  item a(1);
  list.push_back(a);
  item b = a;
  CHECK_FALSE(b.linked());
  b = a;
  CHECK_FALSE(b.linked());
  list.erase(a);
}

struct left {};
struct right {};
struct both : tagged_list_node<left>, tagged_list_node<right> {};

TEST_CASE("an object with two nodes is in two lists") {
  intrusive_list<both, tagged_list_node<left>> one;
  intrusive_list<both, tagged_list_node<right>> two;
  both x, y;
  one.push_back(x);
  one.push_back(y);
  two.push_front(x);
  two.push_front(y);
  CHECK(one.pop_front() == &x);
  CHECK(two.pop_front() == &y);
  CHECK(one.pop_front() == &y);
  CHECK(two.pop_front() == &x);
}

TEST_CASE("adding twice and taking out what is in no list assert") {
  items list;
  item a(1), b(2);
  list.push_back(a);
  CHECK(support::stopped_with([&] { list.push_back(a); }) == "the element is in a list already");
  CHECK(support::stopped_with([&] { list.push_front(a); }) == "the element is in a list already");
  CHECK(support::stopped_with([&] { list.erase(b); }) == "the element is in no list");
  CHECK(support::stopped_with([&] { list.erase(a); }) == "");
  list.erase(a);
}

TEST_CASE("random operations agree with std::list") {
  for (const auto seed : support::seeds(20)) {
    CAPTURE(seed);
    penstock::random_engine random(seed);
    std::vector<std::unique_ptr<item>> pool;
    for (int i = 0; i < 24; ++i) pool.push_back(std::make_unique<item>(i));
    items lists[2];
    std::list<int> models[2];
    const auto where = [&](int number) {
      for (int l = 0; l < 2; ++l)
        for (const int n : models[l])
          if (n == number) return l;
      return -1;
    };
    for (int step = 0; step < 1000; ++step) {
      const auto l = random.uniform_int(0, 1);
      item& x = *pool[static_cast<std::size_t>(random.uniform_int(0, 23))];
      const int in = where(x.number);
      REQUIRE(x.linked() == (in >= 0));
      switch (random.uniform_int(0, 9)) {
        case 0: {
          const item* first = lists[l].pop_front();
          REQUIRE((first ? first->number : -1) == (models[l].empty() ? -1 : models[l].front()));
          if (first) models[l].pop_front();
          break;
        }
        case 1:
          lists[l].splice(lists[1 - l]);
          models[l].splice(models[l].end(), models[1 - l]);
          break;
        case 2: {
          items moved = std::move(lists[l]);
          REQUIRE(lists[l].empty());
          lists[l] = std::move(moved);
          break;
        }
        default:
          if (in >= 0) {
            lists[in].erase(x);
            models[in].remove(x.number);
          } else if (random.uniform_int(0, 1)) {
            lists[l].push_back(x);
            models[l].push_back(x.number);
          } else {
            lists[l].push_front(x);
            models[l].push_front(x.number);
          }
      }
      for (int k = 0; k < 2; ++k) {
        REQUIRE(numbers(lists[k]) == std::vector<int>(models[k].begin(), models[k].end()));
        REQUIRE((lists[k].back() ? lists[k].back()->number : -1) ==
                (models[k].empty() ? -1 : models[k].back()));
      }
    }
  }
}

}  // namespace
