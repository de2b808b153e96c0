// tests/stream/checksum_into_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/checksum_into.hpp>

#include <penstock/stream.hpp>
#include <stream/marbles.hpp>

#include <support/penstock_test.hpp>
#include <support/pieces.hpp>
#include <support/slowly.hpp>

#include <doctest/doctest.h>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;
using support::buffers;

PENSTOCK_TEST("checksum_into() keeps the CRC-32C and the number of the bytes that pass") {
  auto input = buffers("123", "", "456789");
  // [checksum_into]
  running_checksum sum;
  auto passed = co_await (from(std::move(input)) | checksum_into(sum) | collect());
  // [/checksum_into]
  CHECK(passed.value().at(2).text() == "456789");
  CHECK(sum.crc32c == 0xE3069283);
  CHECK(sum.bytes == 9);

  running_checksum pulled;
  auto done = co_await (from(buffers("1234", "56789")) | support::slowly() | checksum_into(pulled) |
                        drain());
  CHECK(done);
  CHECK(pulled == sum);
}

PENSTOCK_TEST("checksum_into() goes on from an earlier one, and is up to date with each item") {
  running_checksum sum;
  auto stream = from(buffers("1234", "5678")) | checksum_into(sum);
  auto first = co_await stream.next();
  CHECK(first.value()->size() == 4);
  CHECK(sum.bytes == 4);
  CHECK(sum.crc32c == crc32c("1234"));
  auto second = co_await (stream | drain());
  CHECK(second);
  auto rest = co_await (from(buffers("9")) | checksum_into(sum) | drain());
  CHECK(rest);
  CHECK(sum.crc32c == 0xE3069283);
  CHECK(sum.bytes == 9);
}

TEST_CASE("checksum_into() emits each buffer in its frame, and fails with the stream") {
  const auto passed = [](std::string_view what_comes, std::string_view sums, duration busy = 0ms) {
    running_checksum sum;
    auto seen = played(marbles::buffers(what_comes) | checksum_into(sum), busy);
    CHECK(sum.crc32c == crc32c(sums));
    return seen;
  };
  CHECK(passed("-[ab]-c-|", "abc") == "-[ab]-c-|");
  CHECK(passed("-[ab]-#", "ab") == "-[ab]-#");
  CHECK(passed("ab|", "ab", 2ms) == "a-b-|");
}
