// tests/test/linearizable_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <support/linearizable.hpp>
#include <support/specifications.hpp>

#include <doctest/doctest.h>

#include <vector>

using support::answer;
using support::lock_specification;
using support::permits_specification;
using support::queue_specification;
using support::recorded;

namespace {

using queue_verb = queue_specification::verb;
using queue_history = std::vector<recorded<queue_specification>>;

recorded<queue_specification> sent(std::size_t thread, std::uint64_t called, std::uint64_t returned,
                                   int value, answer is = answer::done) {
  return {thread, called, returned, {queue_verb::send, value}, {is}};
}
recorded<queue_specification> received(std::size_t thread, std::uint64_t called,
                                       std::uint64_t returned, int value) {
  return {thread, called, returned, {queue_verb::receive}, {answer::value, value}};
}
recorded<queue_specification> nothing(std::size_t thread, std::uint64_t called,
                                      std::uint64_t returned, queue_verb what) {
  return {thread, called, returned, {what}, {answer::nothing}};
}
recorded<queue_specification> closed(std::size_t thread, std::uint64_t called,
                                     std::uint64_t returned) {
  return {thread, called, returned, {queue_verb::close}, {answer::done}};
}
bool explained(const queue_history& h, std::size_t capacity) {
  return support::refuted(queue_specification{capacity}, h, {}).empty();
}

TEST_CASE("an empty history, and one that is in order, are explained") {
  CHECK(explained({}, 1));
  CHECK(explained({sent(0, 0, 1, 1), sent(0, 2, 3, 2), received(1, 4, 5, 1), received(1, 6, 7, 2)},
                  2));
}

TEST_CASE("operations at once may take effect in any order") {
  CHECK(explained(
      {sent(0, 0, 10, 1), sent(1, 1, 9, 2), received(2, 11, 12, 2), received(2, 13, 14, 1)}, 2));
  // The receive is called before the send, and waits.
  CHECK(explained({received(1, 0, 5, 1), sent(0, 1, 2, 1)}, 1));
}

TEST_CASE("what is out of order is refused, and told") {
  const queue_history lifo = {sent(0, 0, 1, 1), sent(0, 2, 3, 2), received(1, 4, 5, 2),
                              received(1, 6, 7, 1)};
  CHECK_FALSE(explained(lifo, 2));
  CHECK(support::refuted(queue_specification{2}, lifo, {}) ==
        "there is no order that explains\n"
        "  [0, 1] thread 0: send 1 -> done\n"
        "  [2, 3] thread 0: send 2 -> done\n"
        "  [4, 5] thread 1: receive -> value 2\n"
        "  [6, 7] thread 1: receive -> value 1\n");
}

TEST_CASE("values that are lost, doubled or invented are refused") {
  CHECK_FALSE(explained({sent(0, 0, 1, 1), nothing(1, 2, 3, queue_verb::try_receive)}, 1));
  CHECK_FALSE(explained({sent(0, 0, 1, 1), received(1, 2, 5, 1), received(2, 3, 4, 1)}, 1));
  CHECK_FALSE(explained({received(1, 0, 1, 7)}, 1));
  CHECK_FALSE(explained({received(1, 0, 1, 1), sent(0, 2, 3, 1)}, 1));
}

TEST_CASE("a queue holds no more than its capacity") {
  CHECK_FALSE(explained({sent(0, 0, 1, 1), sent(0, 2, 3, 2), received(1, 4, 5, 1)}, 1));
  CHECK(explained({sent(0, 0, 1, 1), sent(0, 2, 6, 2), received(1, 4, 5, 1)}, 1));
}

TEST_CASE("with capacity 0 a send and a receive meet") {
  CHECK(explained({sent(0, 0, 3, 1), received(1, 1, 2, 1)}, 0));
  CHECK_FALSE(explained({sent(0, 0, 3, 1), sent(2, 1, 4, 2), received(1, 5, 6, 1)}, 0));
  CHECK(support::each_meets(queue_history{sent(0, 0, 3, 1), received(1, 1, 2, 1)}));
  CHECK_FALSE(support::each_meets(queue_history{sent(0, 0, 1, 1), received(1, 2, 3, 1)}));
}

TEST_CASE("after a close nothing is accepted, and what was is received before the end") {
  CHECK(explained({sent(0, 0, 1, 1), closed(0, 2, 3), received(1, 4, 5, 1),
                   nothing(1, 6, 7, queue_verb::receive), sent(0, 8, 9, 2, answer::refused)},
                  1));
  CHECK_FALSE(explained({closed(0, 0, 1), sent(1, 2, 3, 1)}, 1));
  CHECK_FALSE(explained({sent(1, 0, 1, 1, answer::refused), closed(0, 2, 3)}, 1));
  CHECK_FALSE(explained({nothing(1, 0, 1, queue_verb::receive), closed(0, 2, 3)}, 1));
}

TEST_CASE("a stopped operation has no effect") {
  CHECK(
      explained({sent(0, 0, 1, 1, answer::stopped), nothing(1, 2, 3, queue_verb::try_receive)}, 1));
}

TEST_CASE("many operations at once are searched through") {
  queue_history h;
  for (int i = 0; i < 7; ++i) h.push_back(sent(static_cast<std::size_t>(i), 0, 100, i));
  for (std::uint64_t i = 0; i < 7; ++i)
    h.push_back(received(20, 101 + 2 * i, 102 + 2 * i, 6 - static_cast<int>(i)));
  CHECK(explained(h, 7));
  h.back().gave.value = 6;  // a second time
  CHECK_FALSE(explained(h, 7));
}

TEST_CASE("permits are not granted twice") {
  using verb = permits_specification::verb;
  using one = recorded<permits_specification>;
  auto explained_by = [](const std::vector<one>& h) {
    return support::refuted(permits_specification{}, h, {.capacity = 1, .free = 1}).empty();
  };
  const one first{0, 0, 1, {verb::acquire}, {answer::done}};
  CHECK(explained_by({first,
                      {1, 2, 5, {verb::acquire}, {answer::done}},
                      {0, 3, 4, {verb::release}, {answer::done}}}));
  CHECK_FALSE(explained_by({first, {1, 2, 3, {verb::acquire}, {answer::done}}}));
  CHECK_FALSE(explained_by({{1, 0, 1, {verb::try_acquire}, {answer::refused}}}));
  CHECK_FALSE(explained_by({{0, 0, 1, {verb::release}, {answer::done}}}));
}

TEST_CASE("a refusal is excused while another operation is under way, and only then") {
  using verb = permits_specification::verb;
  using one = recorded<permits_specification>;
  const one refused{0, 1, 2, {verb::try_acquire}, {answer::refused}};
  const one beside{1, 0, 3, {verb::acquire}, {answer::done}};
  const one before{1, 0, 1, {verb::acquire}, {answer::done}};
  using all = std::vector<one>;
  CHECK(support::without_excused(all{beside, refused}, support::refused_try).size() == 1);
  CHECK(support::without_excused(all{before, refused}, support::refused_try).size() == 2);
}

TEST_CASE("a lock has one owner, who unlocks it") {
  using verb = lock_specification::verb;
  using one = recorded<lock_specification>;
  auto explained_by = [](const std::vector<one>& h) {
    return support::refuted(lock_specification{}, h, {}).empty();
  };
  const one first{0, 0, 1, {verb::lock, 0}, {answer::done}};
  CHECK(explained_by({first,
                      {1, 2, 3, {verb::try_lock, 1}, {answer::refused}},
                      {1, 4, 7, {verb::lock, 1}, {answer::done}},
                      {0, 5, 6, {verb::unlock, 0}, {answer::done}}}));
  CHECK_FALSE(explained_by({first, {1, 2, 3, {verb::lock, 1}, {answer::done}}}));
  CHECK_FALSE(explained_by({first, {1, 2, 3, {verb::unlock, 1}, {answer::done}}}));
}

}  // namespace
