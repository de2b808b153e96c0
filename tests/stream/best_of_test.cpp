// tests/stream/best_of_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/best_of.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

namespace {

struct call {
  char codec;
  std::size_t size;
  bool operator==(const call&) const = default;
};
struct scene {
  std::vector<call> calls;
  duration now{};
};
// Makes `ratio` of its input, in no time but for the scene's clock.
template <char Name>
struct scripted {
  static constexpr char text[] = {Name, '\0'};
  static constexpr std::string_view name = text;
  scene* in;
  double ratio;
  duration cost = 1ms;
  errc failure{};

  result<buffer> operator()(std::span<const std::byte> bytes) const {
    in->calls.push_back({Name, bytes.size()});
    in->now += cost;
    if (failure != errc{}) return fail(failure, "compress", name);
    const auto size = static_cast<std::size_t>(ratio * static_cast<double>(bytes.size()));
    return buffer::copy_of(std::string(size, Name));
  }
};
static_assert(one_shot_codec<scripted<'a'>>);
static_assert(!one_shot_codec<int>);

template <class... Codecs>
result<encoded_buffer> choose(scene& s, const buffer& in, const best_of_options& o,
                              const Codecs&... codecs) {
  return detail::best_of([&s] { return s.now; }, in, o, codecs...);
}
const std::string text(10'000, 'x');
constexpr best_of_options usual{.sample = 4000, .budget = 10ms};

}  // namespace

TEST_CASE("the codec that makes the sample smallest compresses the whole") {
  scene s;
  const buffer in = buffer::copy_of(text);
  auto best =
      choose(s, in, usual, scripted<'a'>{&s, 0.5}, scripted<'b'>{&s, 0.3}, scripted<'c'>{&s, 0.4});
  CHECK(best.value().codec == "b");
  CHECK(best->bytes.text() == std::string(3000, 'b'));
  CHECK(s.calls == std::vector<call>{{'a', 4000}, {'b', 4000}, {'c', 4000}, {'b', 10'000}});
}

TEST_CASE("of equal ones the first wins, also of two with one name") {
  scene s;
  const buffer in = buffer::copy_of(text);
  CHECK(choose(s, in, usual, scripted<'a'>{&s, 0.5}, scripted<'b'>{&s, 0.5}).value().codec == "a");
  auto same = choose(s, in, usual, scripted<'a'>{&s, 0.5}, scripted<'a'>{&s, 0.2});
  CHECK(same.value().bytes.size() == 2000);
}

TEST_CASE("a sample that is the whole is compressed once") {
  scene s;
  const buffer in = buffer::copy_of(std::string(4000, 'x'));
  auto best = choose(s, in, usual, scripted<'a'>{&s, 0.5}, scripted<'b'>{&s, 0.3});
  CHECK(best.value().bytes.size() == 1200);
  CHECK(s.calls.size() == 2);
}

TEST_CASE("a codec that is over the budget does not count, and later ones are not tried") {
  scene s;
  const buffer in = buffer::copy_of(text);
  auto best = choose(s, in, usual, scripted<'a'>{&s, 0.5}, scripted<'b'>{&s, 0.3, 12ms},
                     scripted<'c'>{&s, 0.1});
  CHECK(best.value().codec == "a");
  CHECK(s.calls == std::vector<call>{{'a', 4000}, {'b', 4000}, {'a', 10'000}});

  SUBCASE("the first one always counts") {
    s.calls.clear();
    auto slow = choose(s, in, usual, scripted<'a'>{&s, 0.5, 1s}, scripted<'b'>{&s, 0.3});
    CHECK(slow.value().codec == "a");
    CHECK(s.calls == std::vector<call>{{'a', 4000}, {'a', 10'000}});
  }
}

TEST_CASE("the original is kept, in its memory, when it is short or nothing is gained") {
  scene s;
  const buffer in = buffer::copy_of(text);
  SUBCASE("a sample that does not become smaller: the whole is not tried") {
    auto kept = choose(s, in, usual, scripted<'a'>{&s, 0.99}, scripted<'b'>{&s, 1.1});
    CHECK(kept.value().codec == "identity");
    CHECK(kept->bytes.data() == in.data());
    CHECK(kept->bytes.size() == in.size());
    CHECK(s.calls.size() == 2);
  }
  SUBCASE("a ratio of exactly max_ratio is worth it") {
    CHECK(choose(s, in, usual, scripted<'a'>{&s, 0.98}).value().codec == "a");
  }
  SUBCASE("a whole that does not become smaller although the sample did") {
    struct fooled : scripted<'f'> {
      result<buffer> operator()(std::span<const std::byte> bytes) const {
        if (bytes.size() == 4000) return buffer::copy_of("tiny");
        return buffer::copy_of(bytes);
      }
    };
    CHECK(choose(s, in, usual, fooled{{&s, 1}}).value().codec == "identity");
  }
  SUBCASE("below the threshold nothing is tried") {
    auto o = usual;
    o.threshold = 10'001;
    CHECK(choose(s, in, o, scripted<'a'>{&s, 0.1}).value().codec == "identity");
    o.threshold = 0;
    CHECK(choose(s, {}, o, scripted<'a'>{&s, 0.1}).value().codec == "identity");
    CHECK(s.calls.empty());
    o.threshold = 10'000;
    CHECK(choose(s, in, o, scripted<'a'>{&s, 0.1}).value().codec == "a");
  }
}

TEST_CASE("an error of a codec is the outcome; options are looked at first") {
  scene s;
  const buffer in = buffer::copy_of(text);
  auto failed = choose(s, in, usual, scripted<'a'>{&s, 0.5},
                       scripted<'b'>{&s, 0.5, 1ms, errc::invalid_option});
  CHECK(failed.error().message() == "compress 'b': invalid option");
  s.calls.clear();
  for (const best_of_options& bad :
       {best_of_options{.sample = 0}, best_of_options{.budget = -1ns},
        best_of_options{.max_ratio = 1.5}, best_of_options{.max_ratio = -0.1}})
    CHECK(choose(s, in, bad, scripted<'a'>{&s, 0.5}).error() == errc::invalid_option);
  CHECK(s.calls.empty());
}

TEST_CASE("the budget is processor time of this thread") {
  scene s;
  const duration before = detail::thread_cpu_time();
  CHECK(before >= duration::zero());
  auto best = best_of(buffer::copy_of(text), {.budget = 1h}, scripted<'a'>{&s, 0.5},
                      scripted<'b'>{&s, 0.25});
  CHECK(best.value().codec == "b");
  CHECK(best_of(buffer::copy_of(text), {.budget = 0ns}, scripted<'a'>{&s, 0.5},
                scripted<'b'>{&s, 0.25})
            .value()
            .codec == "a");
  CHECK(detail::thread_cpu_time() >= before);
}
