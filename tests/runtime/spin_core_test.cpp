// tests/runtime/spin_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/runtime/detail/spin_core.hpp>

#include <doctest/doctest.h>

#include <cstddef>

using namespace std::chrono_literals;
using penstock::duration;
using penstock::detail::spin_core;

namespace {
constexpr duration wake = 30us;  // a sleep ends that much later than the work came

// A loop under virtual time: what it looked in vain and with success, and how often it slept.
struct loop {
  explicit loop(duration limit) : core(limit) {}
  // Work comes `gap` after the loop ran out of it.
  void wait(duration gap) {
    const duration look = core.look();
    longest = look > longest ? look : longest;
    if (gap <= look) {
      ++hits;
      core.found(gap);
    } else {
      ++sleeps;
      burned += look;
      core.slept(gap + wake);
    }
  }
  void wait(duration gap, int times) {
    for (int i = 0; i < times; ++i) wait(gap);
  }
  void forget() {
    hits = sleeps = 0;
    burned = longest = duration::zero();
  }

  spin_core core;
  int hits = 0;
  int sleeps = 0;
  duration burned{};  // in vain
  duration longest{};
};
}  // namespace

static_assert(!spin_core(duration::zero()).is_on());
static_assert(spin_core(1us).is_on());

TEST_CASE("work that comes sooner than the limit is always looked for") {
  loop l(200us);
  l.wait(20us, 10'000);
  CHECK(l.sleeps == 0);
  l.wait(199us, 100);
  CHECK(l.sleeps <= 2);  // the longest wait of late was 20 us
}

TEST_CASE("no look is longer than the limit, nor much longer than the waits of late") {
  loop l(50ms);
  CHECK(l.core.look() == 50ms);  // it knows nothing yet
  l.core.found(20us);
  l.wait(20us, 1'000);
  CHECK(l.hits == 1'000);
  CHECK(l.core.look() <= 45us);
  l.core.found(20us);
  // The loop is idle now: the one look in vain is a short one.
  l.forget();
  l.wait(1h);
  CHECK(l.burned <= 45us);
  // A wait that was longer than the look, but not than the limit, makes the next look longer.
  l.wait(20us, 3);
  l.forget();
  l.wait(10ms, 20);
  CHECK(l.sleeps <= 2);
  CHECK(l.longest <= 50ms);
  l.wait(49ms, 20);
  CHECK(l.sleeps <= 3);
  CHECK(l.longest == 50ms);
}

TEST_CASE("a limit below the cost of a sleep is kept") {
  loop l(5us);
  l.wait(4us, 100);
  l.wait(6us, 100);
  CHECK(l.longest == 5us);
}

TEST_CASE("looks in vain get rare: 2, 4, ... 256 waits apart") {
  loop l(200us);
  int looks = 0;
  int since = 0;
  for (int i = 0; i < 2'000; ++i) {
    const duration look = l.core.look();
    ++since;
    if (look > duration::zero()) {
      const int apart = looks < 8 ? 1 << looks : 256;
      CHECK(since == apart);
      ++looks;
      since = 0;
    }
    l.core.slept(10ms);
  }
  CHECK(looks == 14);
}

TEST_CASE("a loop with long waits burns next to nothing") {
  loop l(1ms);
  l.wait(2ms, 100);
  l.forget();
  l.wait(2ms, 10'000);
  CHECK(l.hits == 0);
  CHECK(l.burned <= 40 * 1ms);  // of 20 s
}

TEST_CASE("when work comes often again the loop looks again: at once where it saw that asleep") {
  loop l(200us);
  l.wait(10ms, 2'000);
  l.forget();
  l.wait(20us, 1'000);
  CHECK(l.sleeps <= 1);
  // A sleep hides that the work was there before the limit: a later look finds out.
  loop tight(40us);
  tight.wait(10ms, 2'000);
  tight.forget();
  tight.wait(20us, 1'000);
  CHECK(tight.sleeps < 256);
  CHECK(tight.hits > 1'000 - 256);
  tight.forget();
  tight.wait(20us, 1'000);
  CHECK(tight.sleeps == 0);
}

TEST_CASE("now and then a long wait does not end the looking") {
  loop l(200us);
  for (int i = 0; i < 1'000; ++i) {
    l.wait(20us, 9);
    l.wait(5ms);
  }
  CHECK(l.hits >= 1'000 * 8);
  CHECK(l.burned <= 1'000 * 200us);
  // And short ones now and then are not worth a look at each wait.
  loop rare(200us);
  for (int i = 0; i < 100; ++i) {
    rare.wait(5ms, 99);
    rare.wait(20us);
  }
  CHECK(rare.burned <= 100 * 10 * 200us);
}
