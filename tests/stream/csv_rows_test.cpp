// tests/stream/csv_rows_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/csv_rows.hpp>

#include <penstock/stream.hpp>
#include <penstock/test/allocation_counter.hpp>
#include <penstock/test/replace_new.hpp>
#include <stream/marbles.hpp>

#include <support/penstock_test.hpp>
#include <support/pieces.hpp>
#include <support/slowly.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;
using support::pieces;

namespace {
using texts = std::vector<std::string>;
// "a|b"
std::string joined(const csv_row& row) {
  std::string all;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i != 0) all += '|';
    all += row[i];
  }
  return all;
}
constexpr std::string_view people =
    "\xEF\xBB\xBFname,born,motto\r\n"
    "Ada,1815,\"dreams, and numbers\"\r\n"
    "Grace,1906,\"says \"\"ship\"\"\nat sea\"\r\n";
}  // namespace

PENSTOCK_TEST("csv_rows() gives rows wherever the buffers are cut, driven or pulled") {
  const texts expected{"name|born|motto", "Ada|1815|dreams, and numbers",
                       "Grace|1906|says \"ship\"\nat sea"};
  for (std::size_t size = 1; size <= people.size(); ++size) {
    CAPTURE(size);
    auto driven = co_await (from(pieces(people, size)) | csv_rows() | map(joined) | collect());
    CHECK(driven.value() == expected);
    auto pulled = co_await (from(pieces(people, size)) | support::slowly() | csv_rows() |
                            map(joined) | collect());
    CHECK(pulled.value() == expected);
  }
}

PENSTOCK_TEST("with a header fields are found by the name of their column") {
  auto input = pieces(people, 16);
  // [csv_rows]
  std::string oldest;
  auto look = [&](const csv_row& row) {
    if (row.find("born") == "1815") oldest = row[0];
  };
  const csv_options options{.header = true};
  auto done = co_await (from(std::move(input)) | csv_rows(options) | for_each(look));
  // [/csv_rows]
  CHECK(done);
  CHECK(oldest == "Ada");

  auto rows = from(pieces(people, 16)) | csv_rows(options);
  auto first = co_await rows.next();
  const csv_row ada = *std::move(first.value());
  CHECK(ada.number() == 2);
  CHECK(ada.size() == 3);
  CHECK(ada.find("motto") == "dreams, and numbers");
  CHECK(!ada.find("died"));
  auto second = co_await rows.next();
  CHECK(second.value()->find("name") == "Grace");
  auto end = co_await rows.next();
  CHECK(!end.value());

  auto plain = from(pieces(people, 16)) | csv_rows();
  auto names = co_await plain.next();
  CHECK(!names.value()->find("name"));
}

PENSTOCK_TEST("a ragged row has no field in columns that it does not reach") {
  const csv_options options{.header = true, .ragged = true};
  auto rows = from(pieces("a,b\n1\n1,2,3\n", 4)) | csv_rows(options);
  auto short_one = co_await rows.next();
  CHECK(short_one.value()->find("a") == "1");
  CHECK(!short_one.value()->find("b"));
  auto long_one = co_await rows.next();
  CHECK(long_one.value()->find("b") == "2");
  CHECK((*long_one.value())[2] == "3");
}

PENSTOCK_TEST("an error of csv_rows() names the row, comes after the rows before, and once") {
  int seen = 0;
  auto see = [&](const csv_row&) { ++seen; };
  auto failed = co_await (from(pieces("a,b\n1,2\n3\n", 3)) | csv_rows() | for_each(see));
  CHECK(failed.error().message() ==
        "csv_rows 'row 3: 1 fields where the first row has 2': corrupt data");
  CHECK(seen == 2);
  auto rows = from(pieces("\"a\"b\nc\n", 3)) | csv_rows();
  auto bad = co_await rows.next();
  CHECK(bad.error().message() ==
        "csv_rows 'row 1: text behind the quote that ends a field': corrupt data");
  auto good = co_await rows.next();
  CHECK((*good.value())[0] == "c");
  auto end = co_await rows.next();
  CHECK(!end.value());
  const csv_options quotes{.delimiter = '"'};
  auto refused = co_await (from(pieces("a", 1)) | csv_rows(quotes) | count());
  CHECK(refused.error().message() ==
        "csv_rows 'a delimiter that means something else': invalid option");
}

PENSTOCK_TEST("bad rows that are skipped end with the text; without a header there are no rows") {
  int bad = 0;
  auto skip = [&](error e) -> result<std::optional<csv_row>> {
    ++bad;
    if (e == errc::corrupt) return std::nullopt;
    return fail(std::move(e));
  };
  std::string seen;
  auto see = [&](const csv_row& row) { seen += std::string(row[0]) + ' '; };
  const std::string text = "name,cents\na,1\nb,2,3\nc,4\nd\"d,5\ne,6\n\"f,7\ng,8\n";
  const csv_options header{.header = true};
  auto done =
      co_await (from(pieces(text, 5)) | csv_rows(header) | recover(std::ref(skip)) | for_each(see));
  CHECK(done);
  CHECK(seen == "a c e ");
  CHECK(bad == 3);  // the last one's quote does not end
  auto none = co_await (from(pieces("\"a\"b\n1\n2\n", 4)) | csv_rows(header) |
                        recover(std::ref(skip)) | count());
  CHECK(none == 0u);
  CHECK(bad == 4);
}

PENSTOCK_TEST("csv_rows() makes one allocation for a row, however many fields it has") {
  if (!test::allocation_counter::available()) co_return;
  std::string text;
  for (int i = 0; i < 100; ++i) text += "one,two,three,four,\"five and more\",six\n";
  auto rows = from(pieces(text, text.size())) | csv_rows();
  auto first = co_await rows.next();
  CHECK(first.value()->size() == 6);
  const test::allocation_counter counted;
  for (int i = 0; i < 50; ++i) {
    auto row = co_await rows.next();
    CHECK((*row.value())[4] == "five and more");
  }
  CHECK(counted.allocations() == 50);
}

TEST_CASE("csv_rows() emits in the frame in which the end of a row comes, or the stream ends") {
  const auto rows = [](std::string_view what_comes, duration busy = 0ms) {
    const auto shown = [](const csv_row& row) {
      return std::string(row[0]) + "," + std::string(row[1]);
    };
    return played(marbles::buffers(what_comes) | csv_rows() | map(shown), busy);
  };
  CHECK(rows("-[a,b/1]-[,2/]-|") == "-[a,b]-[1,2]-|");
  CHECK(rows("-[a,b/1]-[,2]-|") == "-[a,b]---([1,2]|)");
  CHECK(rows("-[a,b/1]-#") == "-[a,b]-#");
  CHECK(rows("[a,b/]-[1/]-[2,3/]|") == "[a,b]-#");
  CHECK(rows("[a,b/1,2/]|", 2ms) == "[a,b]-[1,2]-|");
}
