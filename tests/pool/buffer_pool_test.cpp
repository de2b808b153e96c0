// tests/pool/buffer_pool_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/pool/buffer_pool.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/penstock_test.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<buffer>, "P10: a buffer cannot be released twice");

// [buffer_pool]
static task<result<std::size_t>> fill(buffer_pool& pool) {
  buffer block = co_await ok(pool.acquire());  // waits while all are lent
  block.mutable_bytes()[0] = std::byte{1};
  co_return block.size();  // and back it goes
}
// [/buffer_pool]

PENSTOCK_TEST("a pool lends aligned buffers, and never more than it has") {
  buffer_pool pool{{.buffer_size = 1000, .count = 3, .alignment = 4096}};
  int peak = 0, in_use = 0;
  auto use = [&]() -> task<result<>> {
    buffer b = co_await ok(pool.acquire());
    peak = std::max(peak, ++in_use);
    CHECK(b.size() == 1000);
    CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % 4096 == 0);
    co_await sleep_for(1ms);
    --in_use;
    co_return {};
  };
  co_await with_group([&](task_group& group) -> task<> {
    for (int i = 0; i < 20; ++i) group.start(use);
    co_return;
  });
  CHECK(peak == 3);
  CHECK(pool.in_use() == 0);
  CHECK(co_await must(fill(pool)) == 1000);
}

PENSTOCK_TEST(
    "a buffer comes back with its last slice, and its bytes are scrubbed when asked for") {
  buffer_pool pool{{.buffer_size = 16, .count = 1, .scrub = scrub::zero}};
  buffer whole = co_await must(pool.acquire());
  for (auto& byte : whole.mutable_bytes()) byte = std::byte{7};
  buffer slice = whole.first(4);
  whole.reset();
  CHECK(pool.in_use() == 1);
  CHECK(!pool.try_acquire());
  slice.reset();
  CHECK(pool.in_use() == 0);
  auto again = pool.try_acquire();
  CHECK(again.has_value());
  if (again) CHECK(again->bytes()[3] == std::byte{0});
}

PENSTOCK_TEST("a cancelled wait takes no buffer; close ends waits") {
  buffer_pool pool{{.buffer_size = 16, .count = 1}};
  buffer held = co_await must(pool.acquire());
  auto late = co_await with_timeout(1ms, pool.acquire());
  CHECK(!late);
  held.reset();
  CHECK(pool.in_use() == 0);
  held = co_await must(pool.acquire());
  auto wait = [&]() -> task<> {
    auto refused = co_await pool.acquire();
    CHECK(!refused);
    if (!refused) CHECK(refused.error() == errc::closed);
  };
  co_await with_group([&](task_group& group) -> task<> {
    group.start(wait);
    co_await sleep_for(1ms);
    pool.close();
  });
  held.reset();
}

PENSTOCK_TEST("a loan allocates nothing after the first") {
  buffer_pool pool{{.buffer_size = 16, .count = 2}};
  { buffer first = co_await must(pool.acquire()); }
  test::allocation_counter count;
  for (int i = 0; i < 100; ++i) {
    buffer b = co_await must(pool.acquire());
  }
  CHECK(count.allocations() == 0);
}

TEST_CASE("options are checked by name") {
  CHECK(validate(buffer_pool_options{}));
  CHECK(!validate(buffer_pool_options{.buffer_size = 0}));
  CHECK(!validate(buffer_pool_options{.count = 0}));
  CHECK(!validate(buffer_pool_options{.alignment = 3}));
}

TEST_CASE("stopped at any moment an acquire takes no buffer, or gives it to its caller") {
  struct fixture {
    std::unique_ptr<buffer_pool> pool =
        std::make_unique<buffer_pool>(buffer_pool_options{.buffer_size = 16, .count = 1});
    std::optional<buffer> held = pool->try_acquire();
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.pool->acquire(); },
                      [](fixture& f) { f.held.reset(); },
                      [](fixture& f, const auto& outcome, test::cancel_stage) -> std::string {
                        if (outcome && (!outcome->has_value() || (*outcome)->size() != 16))
                          return "no buffer";
                        if (f.pool->in_use() != (outcome ? 1u : 0u)) return "a buffer is lost";
                        if (!outcome && !f.pool->try_acquire()) return "it cannot be lent again";
                        return f.pool->stats().waiting == 0 ? "" : "somebody still waits";
                      });
}
