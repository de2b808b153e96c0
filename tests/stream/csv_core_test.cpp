// tests/stream/csv_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/stream/detail/csv_core.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using namespace penstock;
using detail::csv_core;
using detail::csv_step;

namespace {

// Rows as "[a][b] [c]", and "! problem" where there is one.
void note_row(const csv_core& core, std::string& to) {
  if (!to.empty()) to += ' ';
  std::size_t begin = 0;
  for (const std::size_t end : core.ends()) {
    to += '[';
    to += core.bytes().substr(begin, end - begin);
    to += ']';
    begin = end;
  }
}
std::string parsed(const std::vector<std::string_view>& pieces, const csv_options& options) {
  csv_core core(options);
  std::string rows;
  const auto note = [&](csv_step s) {
    if (s == csv_step::row) note_row(core, rows);
    if (s == csv_step::failed) rows += "! " + std::string(core.problem());
    return s != csv_step::more;
  };
  for (std::string_view piece : pieces) {
    while (note(core.feed(piece))) {
    }
    CHECK(piece.empty());
  }
  while (note(core.finish())) {
  }
  return rows;
}

struct table {
  std::string_view text;
  std::string_view rows;
  csv_options options = {};
};
const std::vector<table> cases{
    {"", ""},
    {"a", "[a]"},
    {"a\n", "[a]"},
    {"a,b\n", "[a][b]"},
    {"a,b\r\nc,d\r\n", "[a][b] [c][d]"},
    {"a,b\nc,d", "[a][b] [c][d]"},
    {",\n", "[][]"},
    {",", "[][]"},
    {"a,\n,b\n", "[a][] [][b]"},
    {"\"a\"\n", "[a]"},
    {"\"a,b\",c\n", "[a,b][c]"},
    {"\"a\"\"b\"\n", "[a\"b]"},
    {"\"\"\"\"\n", "[\"]"},
    {"\"\"\n", "[]"},
    {"\"\",\"\"", "[][]"},
    {"\"a\nb\",\"c\r\nd\"\r\n", "[a\nb][c\r\nd]"},
    {"\"a\"", "[a]"},
    {" a , b ", "[ a ][ b ]"},
    {"\n\na\n\nb\r\n\r\n", "[a] [b]"},
    {"a\rb\n", "[a\rb]"},
    {"a\r\r\n", "[a\r]"},
    {"\ra\n", "[\ra]"},
    {"a\r", "[a\r]"},
    {"\xEF\xBB\xBF", ""},
    {"\xEF\xBB\xBF"
     "a,b\n",
     "[a][b]"},
    {"\xEF\xBB\xBF\"a\"\n", "[a]"},
    {"\xEF\xBB", "[\xEF\xBB]"},
    {"\xEF\xBB,a\n", "[\xEF\xBB][a]"},
    {"\xEF\xBB\xBF\xEF\xBB\xBF", "[\xEF\xBB\xBF]"},
    {"a;b,c\n", "[a][b,c]", {.delimiter = ';'}},
    {"a\tb\n", "[a][b]", {.delimiter = '\t'}},
    {"a,b\nc\nd,e,f\n", "[a][b] [c] [d][e][f]", {.ragged = true}},
    {"a,b\nc\n", "[a][b]! row 2: 1 fields where the first row has 2"},
    {"a\nb,c\n", "[a]! row 2: 2 fields where the first row has 1"},
    {"a\n\"b", "[a]! row 2: a quoted field that does not end"},
    {"a\n\n\"b\"c\n", "[a]! row 2: text behind the quote that ends a field"},
    {"\"b\" ,c\n", "! row 1: text behind the quote that ends a field"},
    {"\"b\"\rc\n", "! row 1: text behind the quote that ends a field"},
    {"\"b\"\r", "! row 1: text behind the quote that ends a field"},
    {"a\"b\n", "! row 1: a quote in a field that does not begin with one"},
    {"a,b,c\n", "[a][b][c]", {.most_fields = 3}},
    {"a,b,c,d\n", "! row 1: more than 3 fields", {.most_fields = 3}},
    {"a,b,c,d", "! row 1: more than 3 fields", {.most_fields = 3}},
    {"ab,c\n", "[ab][c]", {.most_bytes = 3}},
    {"ab,c\nab,cd\n", "[ab][c]! row 2: more than 3 bytes", {.most_bytes = 3}},
    {"\"a\"\"bc\"\n", "! row 1: more than 3 bytes", {.most_bytes = 3}},
    {"abc\r\n", "[abc]", {.most_bytes = 3}},
    {"abc\r", "! row 1: more than 3 bytes", {.most_bytes = 3}},
    // It goes on behind a row that has failed.
    {"a,b\nc\nd,e\n", "[a][b]! row 2: 1 fields where the first row has 2 [d][e]"},
    {"a,b\nc\nd\ne,f",
     "[a][b]! row 2: 1 fields where the first row has 2! row 3: 1 fields where the "
     "first row has 2 [e][f]"},
    {"a\n\"b\"x,\"\nc\n", "[a]! row 2: text behind the quote that ends a field [c]"},
    {"b\"x\ny\n", "! row 1: a quote in a field that does not begin with one [y]"},
    {"\"b\"\rx\ny\n", "! row 1: text behind the quote that ends a field [y]"},
    {"a,b,\"c\n,\",d\ne\n", "! row 1: more than 2 fields [e]", {.most_fields = 2}},
    {"a,b,c,d\r\ne,f\n", "! row 1: more than 2 fields [e][f]", {.most_fields = 2}},
    {"a,b,c\ne,f\n", "! row 1: more than 2 fields [e][f]", {.most_fields = 2}},
    {"abcd,\"\n\"\ne\n", "! row 1: more than 3 bytes [e]", {.most_bytes = 3}},
    {"\"abcd\ne\"\"\n\",f\ng\n", "! row 1: more than 3 bytes [g]", {.most_bytes = 3}},
    {"abc,def\ng", "! row 1: more than 3 bytes [g]", {.most_bytes = 3}},
    {"a\n\"b\nc\n", "[a]! row 2: a quoted field that does not end"},
};

}  // namespace

TEST_CASE("rows are as of RFC 4180, and errors name the row and what is wrong") {
  for (auto& c : cases) {
    CAPTURE(c.text);
    CHECK(parsed({c.text}, c.options) == c.rows);
  }
}

TEST_CASE("it makes no difference where the text is cut: at every byte, at any two, at all") {
  for (auto& c : cases) {
    CAPTURE(c.text);
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < c.text.size(); ++i) bytes.push_back(c.text.substr(i, 1));
    CHECK(parsed(bytes, c.options) == c.rows);
    for (std::size_t i = 0; i <= c.text.size(); ++i)
      for (std::size_t j = i; j <= c.text.size(); ++j) {
        CAPTURE(i);
        CAPTURE(j);
        CHECK(parsed({c.text.substr(0, i), c.text.substr(i, j - i), c.text.substr(j)}, c.options) ==
              c.rows);
      }
  }
}

TEST_CASE("options that cannot work are objected to") {
  CHECK(csv_core::objection({}).empty());
  for (char c : {'"', '\n', '\r'})
    CHECK(csv_core::objection({.delimiter = c}) == "a delimiter that means something else");
  CHECK(csv_core::objection({.most_bytes = 0}) == "a limit of 0");
  CHECK(csv_core::objection({.most_fields = 0}) == "a limit of 0");
  CHECK(csv_core::objection({.most_bytes = std::size_t{4} << 30}) == "a limit of 4 GiB or more");
}
