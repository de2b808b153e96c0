// tests/base/clock_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/clock.hpp>

#include <doctest/doctest.h>

#include <penstock/base/random.hpp>

using namespace std::chrono_literals;

namespace {

using penstock::add_saturated;
using penstock::duration;
using penstock::time_point;
using penstock::to_duration;

template <class C>
concept has_now = requires {
  C::now();
};
static_assert(!has_now<penstock::clock>, "time comes from the environment");
static_assert(penstock::clock::is_steady);
static_assert(std::is_same_v<time_point, penstock::clock::time_point>);
static_assert(std::is_same_v<penstock::wall_time, std::chrono::sys_time<std::chrono::nanoseconds>>);

template <class Rep, class Period = std::ratio<1>>
constexpr duration of(Rep count) {
  return to_duration(std::chrono::duration<Rep, Period>(count));
}

static_assert(to_duration(5ms) == 5'000'000ns && to_duration(-5ms) == -5'000'000ns);
static_assert(to_duration(0s) == 0ns && to_duration(1h) == 3600s);
static_assert(of<int>(1) == 1s && of<unsigned char>(200) == 200s);

TEST_CASE("what is too long becomes the longest duration") {
  CHECK(to_duration(std::chrono::hours::max()) == duration::max());
  CHECK(to_duration(std::chrono::hours::min()) == duration::min());
  CHECK(to_duration(std::chrono::seconds(9'223'372'036)) == 9'223'372'036s);
  CHECK(to_duration(std::chrono::seconds(9'223'372'037)) == duration::max());
  CHECK(to_duration(std::chrono::seconds(-9'223'372'037)) == duration::min());
  CHECK(to_duration(duration::max()) == duration::max());
  CHECK(to_duration(duration::min() + 1ns) == duration::min() + 1ns);
  CHECK(of<std::uint64_t>(~0ULL) == duration::max());
  CHECK(of<std::uint64_t, std::nano>(~0ULL) == duration::max());
  CHECK(of<std::uint64_t, std::pico>(~0ULL) == 18'446'744'073'709'551ns);
  CHECK(of<std::int64_t, std::peta>(INT64_MAX) == duration::max());
}

TEST_CASE("finer and odd periods are cut towards zero") {
  CHECK(of<int, std::pico>(1999) == 1ns);
  CHECK(of<int, std::pico>(-1999) == -1ns);
  CHECK(of<int, std::ratio<1, 3>>(1) == 333'333'333ns);
  CHECK(of<int, std::ratio<1, 3>>(3) == 1s);
  CHECK(of<int, std::ratio<7, 3>>(-3) == -7s);
}

TEST_CASE("floating durations are rounded, and what is no number is nothing") {
  CHECK(of<double>(0.29) == 290ms);
  CHECK(of<double>(-0.29) == -290ms);
  CHECK(of<float, std::milli>(1.5F) == 1500us);
  CHECK(of<double, std::nano>(0.5) == 1ns);
  CHECK(of<double>(1e300) == duration::max());
  CHECK(of<double>(-1e300) == duration::min());
  CHECK(of<double>(std::numeric_limits<double>::infinity()) == duration::max());
  CHECK(of<double>(-std::numeric_limits<double>::infinity()) == duration::min());
  CHECK(of<double>(std::numeric_limits<double>::quiet_NaN()) == 0ns);
  CHECK(of<long double, std::nano>(9223372036854775807.0L) == duration::max());
}

TEST_CASE("sums stop at the ends of time, and never is never") {
  const time_point t{100ns};
  CHECK(add_saturated(t, 5ns) == time_point{105ns});
  CHECK(add_saturated(t, -200ns) == time_point{-100ns});
  CHECK(add_saturated(t, duration::max()) == time_point::max());
  CHECK(add_saturated(time_point{-100ns}, duration::min()) == time_point::min());
  CHECK(add_saturated(time_point::max(), -5ns) == time_point::max());
  CHECK(add_saturated(1ns, duration::max()) == duration::max());
  CHECK(add_saturated(-1ns, duration::min()) == duration::min());
  CHECK(add_saturated(-1ns, duration::max()) == duration::max() - 1ns);
}

TEST_CASE("products stop at the ends of time") {
  CHECK(penstock::multiply_saturated(7ns, 3) == 21ns);
  CHECK(penstock::multiply_saturated(-7ns, 3) == -21ns);
  CHECK(penstock::multiply_saturated(duration::max(), 0) == 0ns);
  CHECK(penstock::multiply_saturated(duration::max() / 2, 3) == duration::max());
  CHECK(penstock::multiply_saturated(1ns, ~std::uint64_t{0}) == duration::max());
  CHECK(penstock::multiply_saturated(-2ns, std::uint64_t{1} << 63) == duration::min());
}

TEST_CASE("conversions agree with wide arithmetic at random") {
  penstock::random_engine random(5);
  for (int i = 0; i < 20'000; ++i) {
    const auto shift = static_cast<int>(random.uniform_int(0, 62));
    const auto count = static_cast<std::int64_t>(random()) >> shift;
    __extension__ using wide = __int128;
    const wide ns = static_cast<wide>(count) * 60'000'000'000;
    const duration wanted = ns > INT64_MAX    ? duration::max()
                            : ns < -INT64_MAX ? duration::min()
                                              : duration(static_cast<std::int64_t>(ns));
    REQUIRE(to_duration(std::chrono::duration<std::int64_t, std::ratio<60>>(count)) == wanted);
  }
}

}  // namespace
