// tests/stream/chunk_bytes_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/chunk_bytes.hpp>

#include <penstock/stream.hpp>
#include <stream/marbles.hpp>

#include <support/penstock_test.hpp>
#include <support/pieces.hpp>
#include <support/slowly.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;
using support::buffers;

namespace {
using texts = std::vector<std::string>;
texts texts_of(const std::vector<buffer>& all) {
  texts t;
  for (auto& b : all) t.emplace_back(b.text());
  return t;
}
}  // namespace

PENSTOCK_TEST("chunk_bytes() gives buffers of n bytes, the last one shorter, driven or pulled") {
  const texts expected{"abcd", "efgh", "ij"};
  for (std::size_t size = 1; size <= 11; ++size) {
    CAPTURE(size);
    // [chunk_bytes]
    auto input = support::pieces("abcdefghij", size);
    auto fours = co_await (from(std::move(input)) | chunk_bytes(4) | collect());
    // [/chunk_bytes]
    CHECK(texts_of(fours.value()) == expected);
    auto pulled = co_await (from(support::pieces("abcdefghij", size)) | support::slowly() |
                            chunk_bytes(4) | collect());
    CHECK(texts_of(pulled.value()) == expected);
  }
  auto even = co_await (from(support::pieces("abcdefgh", 3)) | chunk_bytes(4) | collect());
  CHECK(texts_of(even.value()) == texts{"abcd", "efgh"});
}

PENSTOCK_TEST("chunk_bytes() slices what lies in one buffer, without a copy") {
  auto input = buffer::copy_of("abcdefghij");
  const auto* const bytes = input.data();
  std::vector<buffer> one;
  one.push_back(std::move(input));
  auto cut = co_await (from(std::move(one)) | chunk_bytes(4) | collect());
  CHECK(cut.value().at(0).data() == bytes);
  CHECK(cut.value().at(1).data() == bytes + 4);
  CHECK(cut.value().at(2).data() == bytes + 8);

  auto two = buffers("abcd", "efghi");
  const auto* const second = two.at(1).data();
  auto whole = co_await (from(std::move(two)) | chunk_bytes(4) | collect());
  CHECK(whole.value().at(1).data() == second);
  CHECK(whole.value().at(2).data() == second + 4);
}

PENSTOCK_TEST("chunk_bytes() gives no empty buffer, and refuses a size of 0") {
  auto none = co_await (from(buffers("", "")) | chunk_bytes(4) | collect());
  CHECK(none.value().empty());
  auto gaps = co_await (from(buffers("", "ab", "", "cd", "")) | chunk_bytes(3) | collect());
  CHECK(texts_of(gaps.value()) == texts{"abc", "d"});
  auto refused = co_await (from(buffers("a")) | chunk_bytes(0) | collect());
  CHECK(refused.error().message() == "chunk_bytes 'of 0 bytes': invalid option");
}

PENSTOCK_TEST("chunk_bytes() is read by next(), and many chunks of one buffer all arrive") {
  auto bytes = from(buffers("abcde", "f")) | chunk_bytes(4);
  auto first = co_await bytes.next();
  CHECK(first.value()->text() == "abcd");
  auto last = co_await bytes.next();
  CHECK(last.value()->text() == "ef");
  auto end = co_await bytes.next();
  CHECK(!end.value());

  const std::string large(5000, 'x');
  auto singles = co_await (from(support::pieces(large, 5000)) | chunk_bytes(1) | count());
  CHECK(singles.value() == 5000);
}

TEST_CASE("chunk_bytes() emits as soon as n bytes are there, and what is left at the end") {
  const auto fours = [](std::string_view what_comes, duration busy = 0ms) {
    return played(marbles::buffers(what_comes) | chunk_bytes(4), busy);
  };
  CHECK(fours("-[abcde]-[fghij]-|") == "-[abcd]-[efgh]-([ij]|)");
  CHECK(fours("-[ab]-[cd]-|") == "---[abcd]-|");
  CHECK(fours("[abcdefghi]-#") == "([abcd][efgh])-#");
  CHECK(fours("--|") == "--|");
  CHECK(fours("[abcdefghi]|", 2ms) == "[abcd]-[efgh]-i-|");
}
