// tests/stream/own_source_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/stream.hpp>

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/test_runtime.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

// [own_source]
class words {  // of a text that comes slowly
 public:
  explicit words(std::string text) : text_(std::move(text)) {}  // a constructor: no aggregate
  task<result<std::optional<std::string>>> next() {
    co_await sleep_for(1ms);  // what waits comes first: a stop here loses nothing
    if (at_ >= text_.size()) co_return std::nullopt;
    const auto end = (std::min)(text_.find(' ', at_), text_.size());
    if (end == at_) co_return fail(errc::corrupt, "read a word", "two blanks");
    std::string word = text_.substr(at_, end - at_);
    at_ = end + 1;
    co_return word;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};
static task<result<std::size_t>> long_words(std::string text) {
  const auto is_long = [](const std::string& word) { return word.size() > 4; };
  co_return co_await (words(std::move(text)) | filter(is_long) | count());
}
// [/own_source]

TEST_CASE("a class with next() is a source: items, an end, an error") {
  test::test_runtime rt;
  CHECK(rt.run(long_words("a stream is something that yields")).value() == 3);
  CHECK(rt.run(long_words("")).value() == 0);
  CHECK(rt.run(long_words("long  words")).error() == errc::corrupt);
}
TEST_CASE("a class with next() goes into an any_stream and into merge()") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    any_stream<std::string> any = words("a b c");
    auto all = co_await (merge(std::move(any), words("d e")) | count());
    CHECK(all.value() == 5);
  }());
}
TEST_CASE("a class with next() that is an lvalue goes on where it was stopped") {
  test::test_runtime rt;
  rt.run([]() -> task<> {
    words source("one two three");
    auto first = co_await (source | take(1) | collect());
    auto none = co_await with_timeout(500us, source.next());
    auto rest = co_await (source | collect());
    CHECK(first.value() == std::vector<std::string>{"one"});
    CHECK(none.error() == errc::timed_out);
    CHECK(rest.value() == std::vector<std::string>{"two", "three"});
  }());
}
