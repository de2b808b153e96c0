// tests/stream/stream_property_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Random pipelines beside what they mean on a vector: whole, failing at a random item, and stopped
// at a random time.
#include <penstock/stream.hpp>

#include <penstock/core.hpp>
#include <penstock/test.hpp>
#include <support/seeds.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <numeric>
#include <optional>
#include <ranges>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

namespace {
using numbers = std::vector<int>;
constexpr std::uint64_t pipelines = 500;

// Any stream of int, also an eager one: as any_stream, for a pipeline alone.
class erased {
  struct base {
    virtual ~base() = default;
    virtual void open(detail::flow& f) = 0;
    virtual detail::pulled pull(detail::pump& p, std::optional<int>& out) = 0;
  };
  template <class S>
  struct holder final : base {
    explicit holder(S&& s) : stream(std::move(s)) {}
    void open(detail::flow& f) override { stream.open(f); }
    detail::pulled pull(detail::pump& p, std::optional<int>& out) override {
      return stream.pull(p, out);
    }
    S stream;
  };

 public:
  using value_type = int;
  static constexpr bool is_eager = true;
  static constexpr bool is_sync = false;

  template <class S>
  requires(!std::same_as<S, erased>) explicit erased(S&& s)
      : stream_(std::make_unique<holder<S>>(std::forward<S>(s))) {}
  void open(detail::flow& f) { stream_->open(f); }
  detail::pulled pull(detail::pump& p, std::optional<int>& out) { return stream_->pull(p, out); }

 private:
  std::unique_ptr<base> stream_;
};

int alive = 0;  // tasks of stages
task<int> later(int x, int milliseconds, int answer) {
  struct counted {
    counted() { ++alive; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --alive; }
  } here;
  if (milliseconds % 3 != 0) co_await sleep_for(std::chrono::milliseconds(milliseconds));
  if (milliseconds % 5 == 0) co_await yield();
  static_cast<void>(x);
  co_return answer;
}

// A chain of stages, and what it makes of a vector: stages of an any_stream, sometimes a recover(),
// stages of any kind, sometimes a second stream beside all of that.
class plan {
 public:
  plan(std::uint64_t seed, int fail_at) : random_(seed), fail_at_(fail_at) {}

  erased build() {
    source_.resize(static_cast<std::size_t>(upto(60)));
    std::iota(source_.begin(), source_.end(), upto(5));
    model_ = source_;
    const auto check = [at = 0, stop = fail_at_](const int&) mutable -> result<> {
      if (at++ == stop) return fail(errc::corrupt, "planted");
      return {};
    };
    any_stream<int> any(from(source_) | tap(check));
    for (int n = upto(2); n > 0; --n) any = add_lazy(std::move(any), upto(last_lazy));
    erased s = upto(2) == 0 ? recovered(std::move(any)) : erased(std::move(any));
    for (int n = upto(7) + 1; n > 0; --n) s = add(std::move(s));
    return upto(2) == 0 ? beside_another(std::move(s)) : std::move(s);
  }
  // What was seen of each stream is a part of what it has, or all.
  [[nodiscard]] bool has_begun_with(const numbers& seen) const {
    return is_prefix(part(seen, false), model_) && is_prefix(part(seen, true), second_);
  }
  [[nodiscard]] bool is_all(const numbers& seen) const {
    return part(seen, false) == model_ && part(seen, true) == second_;
  }
  std::string text;  // of the stages

 private:
  int upto(int n) { return static_cast<int>(random_.uniform_int(0, n)); }

  static constexpr int of_second = -1'000'000;  // and below
  static numbers part(const numbers& all, bool second) {
    numbers some;
    std::copy_if(all.begin(), all.end(), std::back_inserter(some),
                 [second](int x) { return (x <= of_second) == second; });
    return some;
  }
  static bool is_prefix(const numbers& seen, const numbers& of) {
    return seen.size() <= of.size() && std::equal(seen.begin(), seen.end(), of.begin());
  }

  erased beside_another(erased s) {
    text += "beside ";
    for (int n = upto(30); n > 0; --n) second_.push_back(of_second - n);
    const int wait = upto(6);
    const auto pace = [wait](int x) { return later(x, -x % 7 * (wait % 2), x); };
    return erased(merge(std::move(s), from(second_) | map(pace)));
  }
  // Some items fail on their way; they are left out, or another one takes their place.
  erased recovered(any_stream<int> s) {
    text += "recover ";
    const bool replace = upto(1) == 0;
    const int wait = upto(6);
    const auto wrong = [](int x) { return x % 4 == 0; };
    const auto picky = [wait, wrong](int x) -> task<result<int>> {
      const int same = co_await later(x, wait, x);
      if (wrong(same)) co_return fail(errc::not_found);
      co_return same;
    };
    const auto instead = [replace](error e) -> result<std::optional<int>> {
      if (e != errc::not_found) return fail(std::move(e));
      if (replace) return 77;
      return std::nullopt;
    };
    const auto instead_later = [instead, wait](error e) -> task<result<std::optional<int>>> {
      co_await later(0, wait, 0);
      co_return instead(std::move(e));
    };
    if (replace)
      std::replace_if(model_.begin(), model_.end(), wrong, 77);
    else
      std::erase_if(model_, wrong);
    if (upto(1) == 0) return erased(std::move(s) | map(picky) | recover(instead));
    return erased(std::move(s) | map(picky) | recover(instead_later));
  }

  // Stages that do not work ahead, of a stream of either type.
  static constexpr int last_lazy = 12;
  template <class S>
  S add_lazy(S s, int kind) {
    text += std::to_string(kind) + ' ';
    const int n = upto(4) + 1;
    const int wait = upto(6);
    switch (kind) {
      case 0:
        for (int& x : model_) x = 2 * x + 1;
        return S(std::move(s) | map([](int x) { return 2 * x + 1; }));
      case 1:
        std::erase_if(model_, [](int x) { return x % 3 == 0; });
        return S(std::move(s) | filter([](int x) { return x % 3 != 0; }));
      case 2:
        if (model_.size() > static_cast<std::size_t>(8 * n))
          model_.resize(static_cast<std::size_t>(8 * n));
        return S(std::move(s) | take(static_cast<std::size_t>(8 * n)));
      case 3:
        model_.erase(model_.begin(),
                     model_.begin() + std::min<std::ptrdiff_t>(n, std::ssize(model_)));
        return S(std::move(s) | skip(static_cast<std::size_t>(n)));
      case 4: {
        const auto small = [limit = 40 * n](int x) { return x < limit; };
        model_.erase(std::find_if_not(model_.begin(), model_.end(), small), model_.end());
        return S(std::move(s) | take_while(small));
      }
      case 5: {
        int sum = 0;
        for (int& x : model_) x = sum = (sum + x) % 1000;
        return S(std::move(s) | scan(0, [](int a, int x) { return (a + x) % 1000; }));
      }
      case 6: {
        const auto key = [](int x) { return x / 3; };
        const auto same = [&](int a, int b) { return key(a) == key(b); };
        model_.erase(std::unique(model_.begin(), model_.end(), same), model_.end());
        return S(std::move(s) | distinct_until_changed(key));
      }
      case 7:
        for (int& x : model_) x += 1;
        return S(std::move(s) | map([wait](int x) { return later(x, wait, x + 1); }));
      case 8: {
        std::erase_if(model_, [](int x) { return x % 2 == 0; });
        const auto odd = [wait](int x) -> task<bool> {
          co_return co_await later(x, wait, x % 2) != 0;
        };
        return S(std::move(s) | filter(odd));
      }
      case 9:
        return S(std::move(s) | chunk(static_cast<std::size_t>(n)) |
                 flat_map([](numbers v) { return from(std::move(v)); }));
      case 10: {
        const auto size = static_cast<std::size_t>(n);
        model_.resize(model_.size() < size ? 0 : model_.size() - size + 1);
        return S(std::move(s) | window(size) | map([](const numbers& v) { return v[0]; }));
      }
      case 11:
        return S(std::move(s) | throttle(rate{1, 1ms}));
      default:
        model_.insert(model_.end(), {7, 8, 9});
        return S(concat(std::move(s), from(numbers{7, 8, 9})));
    }
  }

  erased add(erased s) {
    const int kind = upto(24);
    if (kind <= last_lazy) return add_lazy(std::move(s), kind);
    text += std::to_string(kind) + ' ';
    const int n = upto(4) + 1;
    const int wait = upto(6);
    switch (kind) {
      case 13:
        for (int& x : model_) x -= 1;
        return erased(std::move(s) | map_concurrent(static_cast<std::size_t>(n), [](int x) {
                        return later(x, (x % 7 + 7) % 7, x - 1);
                      }));
      case 14:
        return erased(std::move(s) | buffered(static_cast<std::size_t>(n)));
      case 15:
        return erased(merge(std::move(s), empty<int>()));
      case 16:
        for (int& x : model_) x ^= 1;
        return erased(std::move(s) |
                      map_unordered(1, [wait](int x) { return later(x, wait, x ^ 1); }));
      case 17: {
        const auto same = [](int) { return 0; };
        const auto pass = [](int, auto items) {
          return std::move(items) | map([](int x) { return x; });
        };
        return erased(std::move(s) | group_by(same, pass));
      }
      case 18:
        return erased(std::move(s) | observe(stats_) | observe(of_stage_, skip(0)));
      case 19: {
        const auto key = [](int x) { return x % 3; };
        return erased(std::move(s) |
                      map_partitioned(1, key, [wait](int x) { return later(x, wait, x); }));
      }
      case 20:
        return erased(std::move(s) | chunk_within(static_cast<std::size_t>(n), 2ms) |
                      flat_map([](numbers v) { return from(std::move(v)); }));
      case 21:
        return erased(std::move(s) | idle_timeout(1h));
      case 22:
        for (int& x : model_) x += 3;
        return erased(zip(std::move(s), from(std::views::iota(0))) |
                      map([](std::tuple<int, int> both) { return std::get<0>(both) + 3; }));
      default: {  // after all others have ended
        const auto after = ++merges_ * 1min;
        model_.insert(model_.end(), {5, 6});
        const auto late = [after](int x) -> task<int> {
          if (x == 5) co_await sleep_for(after);
          co_return x;
        };
        return erased(merge(from(numbers{5, 6}) | map(late), std::move(s)));
      }
    }
  }

  random_engine random_;
  int fail_at_;
  int merges_ = 0;
  numbers source_;
  numbers model_;
  numbers second_;
  stream_stats stats_, of_stage_;
};
}  // namespace

TEST_CASE("random pipelines mean what their stages do to a vector") {
  for (const auto seed : test::seeds(pipelines)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    plan p(seed, -1);
    numbers seen;
    const auto body = [&]() -> task<> {
      auto stream = p.build();
      auto all = co_await (std::move(stream) | collect());
      REQUIRE(all);
      seen = *std::move(all);
    };
    rt.run(body());
    CAPTURE(p.text);
    CHECK(p.is_all(seen));
    CHECK(alive == 0);
  }
}
TEST_CASE("random pipelines in which an item fails: that error, behind a part of what there is") {
  for (const auto seed : test::seeds(pipelines)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    plan p(seed, static_cast<int>(seed % 40));
    numbers seen;
    bool whole = false;
    const auto body = [&]() -> task<> {
      auto stream = p.build();
      const auto note = [&](int x) { seen.push_back(x); };
      auto done = co_await (std::move(stream) | for_each(note));
      whole = done.has_value();
      if (!done) CHECK(done.error() == errc::corrupt);
    };
    rt.run(body());
    CAPTURE(p.text);
    CHECK(p.has_begun_with(seen));
    if (whole) CHECK(p.is_all(seen));
    if (!whole) CHECK(rt.now() < time_point(1min));  // at once, whatever waits for a time
    CHECK(alive == 0);
  }
}
TEST_CASE("random pipelines that are stopped: a part of what there is, and nothing is left") {
  for (const auto seed : test::seeds(pipelines)) {
    CAPTURE(seed);
    test::test_runtime rt({.seed = seed});
    plan p(seed, -1);
    numbers seen;
    const auto body = [&]() -> task<> {
      auto stream = p.build();
      const auto note = [&](int x) -> task<> {
        co_await later(x, x % 2, x);
        seen.push_back(x);
      };
      const auto limit = std::chrono::microseconds(seed * 397 % 30'000);
      auto done = co_await with_timeout(limit, std::move(stream) | for_each(note));
      if (!done) CHECK(done.error() == errc::timed_out);
    };
    rt.run(body());
    CAPTURE(p.text);
    CHECK(p.has_begun_with(seen));
    CHECK(alive == 0);
  }
}
