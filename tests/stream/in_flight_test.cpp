// tests/stream/in_flight_test.cpp
// SPDX-License-Identifier: BSL-1.0
// How many items an eager operator holds while its consumer is slow: what its page says, no more,
// and not fewer.
#include <penstock/stream/detail/eager.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using test::lifetime_log;
using test::lifetime_tracked;

namespace {
// Items that know how many of them there are.
struct world {
  lifetime_log log;
  std::int64_t most = 0;
  std::size_t seen = 0;

  lifetime_tracked item(int x) {
    lifetime_tracked made(log, x);
    most = (std::max)(most, log.values());
    return made;
  }
  // `n` items, each after `pause`.
  auto source(int n, duration pause) {
    const auto next = [this, n, at = 0]() mutable -> std::optional<lifetime_tracked> {
      if (at == n) return std::nullopt;
      return item(at++);
    };
    const auto wait = [pause](lifetime_tracked t) -> task<lifetime_tracked> {
      if (pause != duration::zero()) co_await sleep_for(pause);
      co_return std::move(t);
    };
    return generate(next) | map(wait);
  }
};

constexpr int items = 300;

// The most items that are alive at once with the stream make(world, pause) and a consumer that
// takes 3 ms for each; for a source that never waits, one that is quicker than the consumer, and
// one that is slower.
template <class Make>
std::int64_t most_alive(Make make, int expected = items) {
  std::int64_t most = 0;
  for (const auto seed : test::seeds(3)) {
    for (const duration pause : {duration(0ms), duration(1ms), duration(4ms)}) {
      world w;
      test::test_runtime rt({.seed = seed});
      const auto body = [&]() -> task<> {
        const auto slow = [&w](auto item) -> task<> {
          co_await sleep_for(3ms);
          ++w.seen;
          static_cast<void>(item);
        };
        auto done = co_await (make(w, pause) | for_each(slow));
        CHECK(done);
      };
      rt.run(body());
      CHECK(w.log.clean());
      if (expected != 0) CHECK(w.seen == static_cast<std::size_t>(expected));
      most = (std::max)(most, w.most);
    }
  }
  return most;
}
task<lifetime_tracked> work(lifetime_tracked t) {
  co_await sleep_for(std::chrono::milliseconds(t.value() * 7 % 5));
  co_return std::move(t);
}
constexpr auto key_of_seven = [](const lifetime_tracked& t) { return t.value() % 7; };
// Beside what the operator holds: what the consumer has.
constexpr std::int64_t consumed = 1;
}  // namespace

TEST_CASE("map_concurrent(), map_unordered(), map_partitioned(): n items") {
  for (const std::size_t n : {1u, 2u, 5u}) {
    CAPTURE(n);
    const auto places = static_cast<std::int64_t>(n);
    CHECK(most_alive([n](world& w, duration pause) {
            return w.source(items, pause) | map_concurrent(n, work);
          }) == places + consumed);
    CHECK(most_alive([n](world& w, duration pause) {
            return w.source(items, pause) | map_unordered(n, work);
          }) == places + consumed);
    CHECK(most_alive([n](world& w, duration pause) {
            return w.source(items, pause) | map_partitioned(n, key_of_seven, work);
          }) == places + consumed);
  }
}
TEST_CASE("buffered(): n items, whatever becomes of those for which there is no room") {
  for (const auto what : {overflow::backpressure, overflow::drop_oldest, overflow::drop_newest,
                          overflow::drop_new, overflow::drop_all}) {
    const bool drops = what != overflow::backpressure;
    // One that comes while the buffer is full is there, too, until what goes is gone.
    CHECK(most_alive([what](world& w,
                            duration pause) { return w.source(items, pause) | buffered(4, what); },
                     drops ? 0 : items) == 4 + consumed + (drops ? 1 : 0));
  }
}

namespace {}  // namespace
TEST_CASE("buffered_bytes(): n bytes, and the item that goes beyond them") {
  std::size_t alive = 0, most = 0;
  struct counted {
    std::size_t* alive;
    std::size_t bytes;
    counted(std::size_t& a, std::size_t n) : alive(&a), bytes(n) { *alive += n; }
    counted(counted&& o) noexcept : alive(o.alive), bytes(std::exchange(o.bytes, 0)) {}
    counted& operator=(counted&& o) noexcept {
      std::swap(alive, o.alive);
      std::swap(bytes, o.bytes);
      return *this;
    }
    ~counted() { *alive -= bytes; }
    [[nodiscard]] std::size_t size() const noexcept { return bytes; }
  };
  test::test_runtime rt;
  const auto body = [&]() -> task<> {
    const auto next = [&, at = std::size_t{0}]() mutable -> std::optional<counted> {
      if (at == 300) return std::nullopt;
      const std::size_t size = ++at % 7;
      counted c(alive, size);
      most = (std::max)(most, alive);
      return c;
    };
    const auto slow = [](const counted&) { return sleep_for(3ms); };
    auto done = co_await (generate(next) | buffered_bytes(10) | for_each(slow));
    CHECK(done);
  };
  rt.run(body());
  CHECK(alive == 0);
  CHECK(most <= 9 + 6 + 6);  // just no full buffer, the last item, the consumer's
  CHECK(most > 10 + 6);
}
TEST_CASE("chunk_within(): n items beside the chunk that the consumer has") {
  CHECK(most_alive(
            [](world& w, duration pause) { return w.source(items, pause) | chunk_within(4, 2ms); },
            0) == 4 + 4);
}
TEST_CASE("conflate(): one item, and the next one until they are one") {
  CHECK(most_alive([](world& w, duration pause) { return w.source(items, pause) | conflate(); },
                   0) == 2 + consumed);
}
TEST_CASE("debounce() and idle_timeout(): one item, and debounce() its successor") {
  CHECK(most_alive([](world& w, duration pause) { return w.source(items, pause) | debounce(2ms); },
                   0) == 2 + consumed);
  CHECK(most_alive([](world& w, duration pause) {
          return w.source(items, pause) | idle_timeout(1h);
        }) == consumed);
}
TEST_CASE("merge(): one item of each stream") {
  CHECK(most_alive(
            [](world& w, duration pause) {
              return merge(w.source(items, pause), w.source(items, 2ms), w.source(items, 0ms));
            },
            3 * items) == 3 + consumed);
}
TEST_CASE("zip(): one item of each stream, and combine_latest() copies of them for the consumer") {
  CHECK(most_alive([](world& w, duration pause) {
          return zip(w.source(items, pause), w.source(items, 2ms), w.source(items, 0ms));
        }) == 3 + 3);
  // The next one of each stream is there before the one that it replaces is gone.
  CHECK(most_alive(
            [](world& w, duration pause) {
              return combine_latest(w.source(items, pause), w.source(items, 2ms));
            },
            0) == 2 + 2 + 2);
}
TEST_CASE("group_by(): the items that wait in each group, what each emits, and one without room") {
  const group_by_options o{.max_groups = 3, .buffered = 2};
  const auto pass = [](int, auto group) { return group; };
  for (const int keys : {3, 7}) {
    const auto key = [keys](const lifetime_tracked& t) { return t.value() * t.value() % keys; };
    const auto grouped = [&](world& w, duration pause) {
      return w.source(items, pause) | group_by(key, pass, o);
    };
    CAPTURE(keys);
    const auto most = most_alive(grouped);
    CHECK(most <= 3 * (2 + 1) + 1 + consumed);
    CHECK(most > 3 + 1 + consumed);
  }
}
TEST_CASE("paged(): the page that is emitted, and one that waits") {
  constexpr int in_page = 5;
  const auto pages = [](world& w, duration pause) {
    const auto fetch = [&w, pause](const int& first) -> task<page<lifetime_tracked, int>> {
      if (pause != duration::zero()) co_await sleep_for(pause);
      page<lifetime_tracked, int> p;
      for (int i = first; i < first + in_page; ++i) p.items.push_back(w.item(i));
      if (first + in_page < items) p.next = first + in_page;
      co_return p;
    };
    return paged(fetch, 0);
  };
  CHECK(most_alive(pages) <= 2 * in_page + consumed);
  CHECK(most_alive(pages) > in_page + consumed);
}
TEST_CASE("recover() and retry_source(): none but the consumer's") {
  CHECK(most_alive([](world& w, duration pause) {
          const auto no = [](error e) -> result<std::optional<lifetime_tracked>> {
            return fail(std::move(e));
          };
          return w.source(items, pause) | recover(no);
        }) == consumed);
  CHECK(most_alive([](world& w, duration pause) {
          const auto again = [&w, pause] { return w.source(items, pause); };
          return retry_source(again);
        }) == consumed);
}
