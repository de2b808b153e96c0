// tests/resilience/limit_cores_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/resilience/detail/limit_cores.hpp>

#include <penstock/base/random.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using detail::limit_sample;

namespace {
constexpr double base_ms = 20;

// A server that does K calls at once in 20 ms each; all clients want to call it all the time.
template <class Core>
class model {
 public:
  model(Core core, double capacity) : core_(core), capacity_(capacity) {}
  void run(int windows) {
    for (int i = 0; i < windows; ++i) {
      const double at_once = static_cast<double>(core_.limit());
      const double ms = base_ms * (std::max)(1.0, at_once / capacity_);
      took_.push_back(ms);
      served_ += (std::min)(at_once, capacity_);
      wanted_ += capacity_;
      now_ += 100ms;
      const limit_sample s{.took = duration(static_cast<std::int64_t>(ms * 1e6)),
                           .at_once = core_.limit(),
                           .now = now_,
                           .chance = random_.uniform_real()};
      core_.update(s);
    }
  }
  void set_capacity(double k) { capacity_ = k; }
  void forget() {
    took_.clear();
    served_ = wanted_ = 0;
  }
  [[nodiscard]] std::size_t limit() const { return core_.limit(); }
  [[nodiscard]] double goodput() const { return served_ / wanted_; }
  [[nodiscard]] double p99() {
    std::sort(took_.begin(), took_.end());
    return took_[took_.size() * 99 / 100];
  }

 private:
  Core core_;
  double capacity_;
  time_point now_{};
  random_engine random_{1};
  std::vector<double> took_;
  double served_ = 0, wanted_ = 0;
};
template <class Core>
void check_in_band(Core core, double k) {
  CAPTURE(k);
  model m(core, k);
  const auto in_band = [&](double capacity) {
    CAPTURE(m.limit());
    CHECK(static_cast<double>(m.limit()) >= capacity);
    CHECK(static_cast<double>(m.limit()) <= 1.5 * capacity);
  };
  m.run(200);
  in_band(k);
  m.forget();
  m.run(19'800);
  in_band(k);
  CHECK(m.goodput() >= 0.95);
  CHECK(m.p99() <= 2 * base_ms);
  m.set_capacity(k / 2);
  m.run(50);
  in_band(k / 2);
}
}  // namespace

TEST_CASE("A1: vegas and gradient stay between K and 1.5 K, for ever, and when K halves") {
  const detail::limit_bounds bounds{.initial = 20, .least = 1, .most = 200};
  for (const double k : {50.0, 100.0}) {
    check_in_band(detail::vegas_core(bounds), k);
    check_in_band(detail::gradient_core(bounds, 60s), k);
  }
}

TEST_CASE("the table of the docs") {
  const detail::limit_bounds bounds{.initial = 20, .least = 1, .most = 200};
  const auto row = [&](auto core, double k) {
    model m(core, k);
    std::string text;
    int done = 0;
    for (const int windows : {100, 1000, 20'000}) {
      m.run(windows - done);
      done = windows;
      text += std::to_string(m.limit()) + ' ';
    }
    return text;
  };
  CHECK(row(detail::vegas_core(bounds), 50) == "55 55 55 ");
  CHECK(row(detail::vegas_core(bounds), 100) == "110 110 110 ");
  CHECK(row(detail::gradient_core(bounds, 60s), 50) == "71 71 71 ");
  CHECK(row(detail::gradient_core(bounds, 60s), 100) == "136 137 136 ");
  CHECK(row(detail::aimd_core(bounds, 40ms), 50) == "97 95 96 ");
  CHECK(row(detail::aimd_core(bounds, 40ms), 100) == "120 200 200 ");
}

TEST_CASE("what is not used does not grow, what fails shrinks, and nothing leaves the bounds") {
  const detail::limit_bounds bounds{.initial = 20, .least = 2, .most = 30};
  const auto each = [&](auto check) {
    check(detail::aimd_core(bounds, 40ms));
    check(detail::vegas_core(bounds));
    detail::gradient_core g(bounds, 1h);
    g.update({.took = 20ms, .at_once = 3});
    check(g);
  };
  each([](auto core) {
    const std::size_t before = core.limit();
    CHECK(before == 20);
    for (int i = 0; i < 100; ++i) core.update({.took = 20ms, .at_once = 5});
    CHECK(core.limit() == before);
    for (int i = 0; i < 100; ++i) core.update({.took = 20ms, .at_once = core.limit()});
    CHECK(core.limit() == 30);
    core.update({.took = 20ms, .at_once = 30, .failed = true});
    CHECK(core.limit() < 30);
    for (int i = 0; i < 100; ++i) core.update({.took = 20ms, .at_once = 30, .failed = true});
    CHECK(core.limit() == 2);
  });
}

TEST_CASE("gradient measures the shortest time again, with few calls at once") {
  detail::gradient_core core({.initial = 50, .least = 1, .most = 200}, 10s);
  CHECK(core.is_measuring());
  CHECK(core.limit() == 3);
  core.update({.took = 90ms, .at_once = 40, .now = time_point(1s)});  // calls of before
  CHECK(core.is_measuring());
  core.update({.took = 20ms, .at_once = 3, .now = time_point(1s), .chance = 0});
  CHECK(core.limit() == 50);
  core.update({.took = 20ms, .at_once = 50, .now = time_point(9s)});
  CHECK_FALSE(core.is_measuring());
  core.update({.took = 20ms, .at_once = 50, .now = time_point(10s)});
  CHECK(core.is_measuring());
  // The server has become slower: that is not the calls' fault.
  core.update({.took = 40ms, .at_once = 3, .now = time_point(11s)});
  const std::size_t before = core.limit();
  core.update({.took = 40ms, .at_once = core.limit(), .now = time_point(12s)});
  CHECK(core.limit() >= before);
}
