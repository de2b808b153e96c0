// tests/upload/journal_core_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/upload/journal_core.hpp>

#include <doctest/doctest.h>

using namespace penstock;
using namespace penstock::detail;

namespace {
const source_identity source{1'000'001, 1234567890123456789, -5, 42};
const part_plan plan = *plan_parts(source.size, 100'000);

part_receipt receipt(std::uint32_t i) { return {i, plan.part(i).size, 0x9e3779b9u * (i + 1)}; }
std::string journal(std::uint32_t parts) {
  std::string text = encode_header(source, plan, "id 7", "a name\nwith %41 and \x7f");
  for (std::uint32_t i = 0; i < parts; ++i) text += encode_part(receipt(i));
  return text;
}
}  // namespace

TEST_CASE("a journal gives back what was put in") {
  const auto state = parse_journal(journal(11));
  REQUIRE(state);
  CHECK(state->source == source);
  CHECK(state->plan == plan);
  CHECK(state->id == "id 7");
  CHECK(state->name == "a name\nwith %41 and \x7f");
  CHECK(state->valid_bytes == journal(11).size());
  REQUIRE(state->parts.size() == 11);
  for (std::uint32_t i = 0; i < 11; ++i) CHECK(state->parts[i] == receipt(i));
}

TEST_CASE("cut at any byte it is a shorter journal or none, never a wrong one") {
  const std::string text = journal(11);
  const std::size_t header = journal(0).size();
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    const auto state = parse_journal(std::string_view(text).substr(0, cut));
    if (cut < header) {
      CHECK(!state);
      continue;
    }
    REQUIRE(state);
    CHECK(state->valid_bytes <= cut);
    for (std::uint32_t i = 0; i < 11; ++i) {
      const bool whole = journal(i + 1).size() <= cut;
      CHECK(state->parts[i].has_value() == whole);
      if (whole) CHECK(state->parts[i] == receipt(i));
    }
  }
}

TEST_CASE("a byte that changed ends the journal before its record") {
  const std::string text = journal(11);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string torn = text;
    torn[at] = static_cast<char>(torn[at] ^ 0x10);
    const auto state = parse_journal(torn);
    if (!state) continue;
    for (std::uint32_t i = 0; i < 11; ++i) {
      if (state->parts[i]) CHECK(state->parts[i] == receipt(i));
    }
    CHECK(state->source == source);
  }
}

TEST_CASE("words are given back as they were, whatever is in them") {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  for (const std::string& text : {std::string("a%2Fb"), std::string("%"), std::string("%4"), all}) {
    const auto state = parse_journal(encode_header(source, plan, text, text));
    REQUIRE(state);
    CHECK(state->id == text);
    CHECK(state->name == text);
  }
}

TEST_CASE("a journal that was cut is told from a file that is none") {
  const std::string text = journal(2);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) CHECK(begins_journal(text.substr(0, cut)));
  for (const char* other : {"three years of work", "0", "\n", "4f1c2a9", "4f1c2a90 part 1 2 3",
                            "4f1c2a90 uplift", "4F1C2A90 upload 1", "4f1c2a90\n"}) {
    CAPTURE(other);
    const std::string_view o = other;
    CHECK(begins_journal(o) == (o == "0" || o == "4f1c2a9"));
  }
}

TEST_CASE("records that do not fit the plan are not taken") {
  auto state = parse_journal(journal(0) + encode_part({11, 1, 1}));
  REQUIRE(state);
  CHECK(state->valid_bytes == journal(0).size());
  state = parse_journal(journal(0) + encode_part({0, 99'999, 1}) + encode_part(receipt(1)));
  REQUIRE(state);
  CHECK(!state->parts[1]);
}
