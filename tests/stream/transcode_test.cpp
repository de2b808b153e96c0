// tests/stream/transcode_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/transcode.hpp>

#include <penstock/core/sleep.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/test_runtime.hpp>

#include <stream/marbles.hpp>
#include <stream/toy_codec.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

namespace {

constexpr work_place places[] = {work_place::loop, work_place::cpu_pool};

// Its texts, one a millisecond, some of them empty.
class slow_source {
 public:
  explicit slow_source(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  task<result<std::optional<buffer>>> next() {
    co_await sleep_for(1ms);
    std::optional<buffer> b;
    if (next_ < texts_.size()) b = buffer::copy_of(texts_[next_++]);
    co_return b;
  }
  std::size_t taken() const { return next_; }

 private:
  std::vector<std::string> texts_;
  std::size_t next_ = 0;
};
std::string joined(const std::vector<buffer>& pieces) {
  std::string s;
  for (const buffer& b : pieces) s += b.text();
  return s;
}
// A codec that fails in some way, at the second piece.
struct failing {
  bool throws;
  int calls = 0;
  void feed(buffer) {}
  void finish() {}
  bool over() const { return false; }
  result<buffer> next() {
    if (++calls == 1) return buffer::copy_of("one");
    if (throws) throw std::bad_alloc();
    return fail(errc::corrupt, "decompress", "two");
  }
};

}  // namespace

TEST_CASE("a stream is compressed as one whole, and comes back, on the loop and on the pool") {
  for (const work_place where : places) {
    for (const std::size_t piece : {1u, 2u, 7u, 1000u}) {
      test::test_runtime rt;
      rt.run([](work_place w, std::size_t size) -> task<> {
        slow_source source({"abc", "", "d", "efgh", ""});
        auto packed =
            co_await (source | compress(toy::compressor(toy::tripler(), size), {w}) | collect());
        CHECK(joined(packed.value()) == toy::tripled("abcdefgh"));
        for (const buffer& b : *packed) {
          CHECK(!b.empty());
          CHECK(b.size() <= size);
        }
        auto back = co_await (from(std::move(*packed)) |
                              decompress(toy::decompressor(toy::third(), size), {w}) | collect());
        CHECK(joined(back.value()) == "abcdefgh");
      }(where, piece));
    }
  }
}

// [toy]
// A codec of one's own: each byte three times, at the end a dot.
static auto tripled(work_place where, std::size_t piece_size = 100) {
  return compress(toy::compressor(toy::tripler(), piece_size), {where});
}
static auto thirds(work_place where) {
  return decompress(toy::decompressor(toy::third(), 100), {where});
}
// [/toy]
TEST_CASE(
    "compress() and decompress() emit a piece when the codec has one, and the rest at the end") {
  using marbles::buffers;
  using marbles::played;
  for (const work_place where : places) {
    CHECK(played(buffers("-a-b-|") | tripled(where)) == "-[aaa]-[bbb]-(.|)");
    CHECK(played(buffers("-a-#") | tripled(where)) == "-[aaa]-#");
    CHECK(played(buffers("--|") | tripled(where)) == "--(.|)");
    CHECK(played(buffers("ab|") | tripled(where, 2), 2ms) == "[aa]-a-b-[bb]-.-|");
    CHECK(played(buffers("-[aaab]-[bb.]-|") | thirds(where)) == "-a-b-|");
    CHECK(played(buffers("-[aaab]-#") | thirds(where)) == "-a-#");
    CHECK(played(buffers("-[aaab]-|") | thirds(where)) == "-a-#");
    CHECK(played(buffers("-[aaa]-!-|") | thirds(where)) == "-a-#");
    CHECK(played(buffers("[aaa][bbb][.]|") | thirds(where), 2ms) == "a-b-|");
  }
}

TEST_CASE("an empty stream is compressed too, and is corrupt as what was compressed") {
  for (const work_place where : places) {
    test::test_runtime rt;
    rt.run([](work_place w) -> task<> {
      slow_source none({});
      auto packed =
          co_await (none | compress(toy::compressor(toy::tripler(), 10), {w}) | collect());
      CHECK(joined(packed.value()) == ".");
      auto back =
          co_await (none | decompress(toy::decompressor(toy::third(), 10), {w}) | collect());
      CHECK(back.error() == errc::corrupt);
    }(where));
  }
}

TEST_CASE("a piece is made when it is asked for: nothing is read ahead") {
  for (const work_place where : places) {
    test::test_runtime rt;
    const auto done = rt.run([](work_place w) -> task<result<>> {
      slow_source source({"ab", "cd", "ef"});
      auto pieces = source | compress(toy::compressor(toy::tripler(), 3), {w});
      std::vector<std::size_t> taken;
      std::string all;
      while (auto b = co_await ok(pieces.next())) {
        all += b->text();
        taken.push_back(source.taken());
      }
      CHECK(all == "aaabbbcccdddeeefff.");
      CHECK(taken == std::vector<std::size_t>{1, 1, 2, 2, 3, 3, 3});
      auto again = co_await ok(pieces.next());
      CHECK(!again);  // the end stays
      co_return {};
    }(where));
    CHECK(done);
  }
}

TEST_CASE("an error of the codec or of the source is the stream's; exceptions pass through") {
  for (const work_place where : places) {
    test::test_runtime rt;
    rt.run([](work_place w) -> task<> {
      slow_source source({"ab", "cd"});
      int seen = 0;
      auto count = [&](const buffer&) { ++seen; };
      auto failed = co_await (source | decompress(failing{false}, {w}) | tap(count) | collect());
      CHECK(failed.error().message() == "decompress 'two': corrupt data");
      CHECK(seen == 1);
      // Once, and that is the end: what comes after it cannot be read.
      int errors = 0;
      auto skip = [&](error) -> result<std::optional<buffer>> {
        ++errors;
        return std::nullopt;
      };
      slow_source again({"ab", "cd", "ef"});
      auto rest = co_await (again | decompress(failing{false}, {w}) | recover(std::ref(skip)) |
                            penstock::count());
      CHECK(rest == 1u);
      CHECK(errors == 1);

      bool thrown = false;
      try {
        static_cast<void>(co_await (source | decompress(failing{true}, {w}) | collect()));
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
      CHECK(thrown);

      auto picky = [](int x) -> result<buffer> {
        if (x == 2) return fail(errc::not_found, "load");
        return buffer::copy_of("ab");
      };
      const std::vector<int> numbers{1, 2, 3};
      auto lost = co_await (from(numbers) | map(picky) |
                            compress(toy::compressor(toy::tripler(), 2), {w}) | collect());
      CHECK(lost.error() == errc::not_found);
    }(where));
  }
}

namespace {
// Writes down the sizes that it is fed with.
class noting : public toy::compressor {
 public:
  explicit noting(std::vector<std::size_t>& to) : toy::compressor(toy::tripler(), 64), to_(&to) {}
  void feed(buffer b) {
    to_->push_back(b.size());
    toy::compressor::feed(std::move(b));
  }

 private:
  std::vector<std::size_t>* to_;
};
}  // namespace

TEST_CASE("on the pool small buffers that come without a wait are worked on together") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    const auto fed = [](std::vector<std::size_t> sizes) -> task<std::vector<std::size_t>> {
      std::vector<std::size_t> seen;
      std::string text;
      std::vector<buffer> all;
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        all.push_back(buffer::copy_of(std::string(sizes[i], static_cast<char>('a' + i % 26))));
        text += all.back().text();
      }
      auto packed = co_await (from(std::move(all)) | compress(noting(seen)) | collect());
      CHECK(packed.has_value());
      std::string got;
      for (const buffer& b : *packed) got += b.text();
      CHECK(got == toy::tripled(text));
      co_return seen;
    };
    using sizes = std::vector<std::size_t>;
    const auto many = co_await fed(sizes(1000, 10));
    CHECK(many == sizes{10'000});
    const auto full = co_await fed(sizes(3, 40'000));  // each is large enough
    CHECK(full == sizes(3, 40'000));
    sizes mixed(7, 15'000);
    mixed.push_back(20'000);
    mixed.push_back(5);
    const auto some = co_await fed(mixed);
    CHECK(some == sizes{60'000, 65'005});
    const sizes empties(2, 0);
    const auto none = co_await fed(empties);
    CHECK(none.empty());
  }());
}

TEST_CASE("read by next() with timeouts, no byte is lost and none comes twice") {
  for (const work_place where : places) {
    int all_stops = 0;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      test::test_runtime rt({.seed = seed});
      all_stops += rt.run([](work_place w) -> task<int> {
        auto busy = [](int x) { return buffer::copy_of(std::to_string(x)); };
        std::vector<int> numbers;
        for (int i = 0; i < 50; ++i) numbers.push_back(i);
        auto pieces = from(numbers) | map(busy) | compress(toy::compressor(toy::tripler(), 5), {w});
        std::string all, expected;
        for (const int i : numbers) expected += std::to_string(i);
        int stops = 0;
        for (;;) {
          auto next = co_await with_timeout(0ms, pieces.next());
          if (!next) {
            CHECK(next.error() == errc::timed_out);
            if (++stops > 5) {
              next = co_await pieces.next();
            } else {
              continue;
            }
          }
          if (!*next) break;
          all += (*next)->text();
        }
        CHECK(all == toy::tripled(expected));
        co_return stops;
      }(where));
    }
    if (where == work_place::cpu_pool) CHECK(all_stops > 0);
  }
}

TEST_CASE("stopped at any step, a pipeline with both stages leaves nothing behind") {
  for (const work_place where : places) {
    for (std::uint64_t step = 1;; ++step) {
      CAPTURE(step);
      REQUIRE(step < 1000);
      int lent = 0;
      test::test_runtime rt({.seed = step % 4, .stop_at_step = step});
      auto go = [&lent](work_place w) -> task<result<>> {
        std::string bytes = "some text that goes through";
        auto lend = [&](int i) {
          ++lent;
          auto one =
              std::as_writable_bytes(std::span(bytes)).subspan(static_cast<std::size_t>(i), 1);
          return buffer::adopt(one, [&lent] { --lent; });
        };
        const std::vector<int> numbers{0, 1, 2, 3, 4, 5, 6, 7};
        auto through = co_await ok(from(numbers) | map(lend) |
                                   compress(toy::compressor(toy::tripler(), 5), {w}) |
                                   decompress(toy::decompressor(toy::third(), 5), {w}) | collect());
        CHECK(joined(through) == "some tex");
        co_return {};
      };
      const auto r = rt.run(go(where));
      if (!r) CHECK(r.error() == errc::canceled);
      CHECK(lent == 0);
      if (rt.steps() < step) break;
    }
  }
}
