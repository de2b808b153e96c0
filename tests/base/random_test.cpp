// tests/base/random_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/random.hpp>

#include <doctest/doctest.h>

#include <array>
#include <random>

namespace {

using penstock::random_engine;
using penstock::splitmix64;

static_assert(std::uniform_random_bit_generator<splitmix64>);
static_assert(std::uniform_random_bit_generator<random_engine>);
static_assert(std::is_trivially_copyable_v<random_engine>);

// The authors' C programs, run with these seeds.
constexpr std::array<std::uint64_t, 3> first_of_splitmix() {
  splitmix64 s(1234567);
  return {s(), s(), s()};
}
static_assert(first_of_splitmix() == std::array<std::uint64_t, 3>{6457827717110365317u,
                                                                  3203168211198807973u,
                                                                  9817491932198370423u});

// An independent model of xoshiro256**, straight from the definition.
struct plain_xoshiro {
  std::array<std::uint64_t, 4> s{};
  static std::uint64_t rotl(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::uint64_t next() {
    const std::uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0], s[3] ^= s[1], s[1] ^= s[2], s[0] ^= s[3], s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
  }
};

TEST_CASE("the numbers are those of the published generators") {
  for (const std::uint64_t seed : {0ULL, 1ULL, 42ULL, ~0ULL}) {
    splitmix64 fill(seed);
    plain_xoshiro plain;
    for (auto& word : plain.s) word = fill();
    random_engine ours(seed);
    for (int i = 0; i < 100; ++i) REQUIRE(ours() == plain.next());
  }
  // state {1, 2, 3, 4} gives 11520 first, as the reference does
  plain_xoshiro known{{1, 2, 3, 4}};
  CHECK(known.next() == 11520);
  CHECK(known.next() == 0);
  CHECK(known.next() == 1509978240);
  CHECK(known.next() == 1215971899390074240);
}

TEST_CASE("equal seeds give equal numbers, others do not") {
  random_engine a(7), b(7), c(8);
  const auto x = a();
  CHECK(x == b());
  CHECK(x != c());
}

TEST_CASE("reals fill [0, 1) evenly") {
  random_engine random(3);
  std::array<int, 10> buckets{};
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = random.uniform_real();
    REQUIRE(x >= 0);
    REQUIRE(x < 1);
    sum += x;
    ++buckets[static_cast<std::size_t>(x * 10)];
  }
  CHECK(sum / 100'000 == doctest::Approx(0.5).epsilon(0.01));
  for (const int n : buckets) CHECK(n == doctest::Approx(10'000).epsilon(0.05));
}

TEST_CASE("integers stay inside both ends and reach them") {
  random_engine random(4);
  std::array<int, 7> buckets{};
  for (int i = 0; i < 70'000; ++i) {
    const auto n = random.uniform_int(-3, 3);
    REQUIRE(n >= -3);
    REQUIRE(n <= 3);
    ++buckets[static_cast<std::size_t>(n + 3)];
  }
  for (const int n : buckets) CHECK(n == doctest::Approx(10'000).epsilon(0.05));
  CHECK(random.uniform_int(5, 5) == 5);
  bool low = false, high = false;
  for (int i = 0; i < 200; ++i) {
    const auto n = random.uniform_int(INT64_MIN, INT64_MAX);
    (n < 0 ? low : high) = true;
  }
  CHECK(low);
  CHECK(high);
}

TEST_CASE("a range that does not divide 2^64 is not biased") {
  // Three quarters of 2^64: plain scaling would make every third pair twice as likely.
  random_engine random(9);
  const auto span = static_cast<std::int64_t>(0x6000000000000000);
  int below = 0;
  for (int i = 0; i < 60'000; ++i) below += random.uniform_int(-span, span - 1) < -span / 2 ? 1 : 0;
  CHECK(below == doctest::Approx(15'000).epsilon(0.03));
}

}  // namespace
