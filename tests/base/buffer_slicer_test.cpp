// tests/base/buffer_slicer_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/buffer_slicer.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

using namespace penstock;
using detail::buffer_slicer;

namespace {
// Bytes that count how often they were given back.
struct lender {
  std::array<std::byte, 400> bytes{};
  int returned = 0;
  buffer lend() {
    return buffer::adopt(bytes, [this]() noexcept { ++returned; });
  }
};
}  // namespace

TEST_CASE("slices are cut from the front, and what is skipped is in none") {
  buffer_slicer cut(buffer::copy_of("one, two, three"));
  const buffer one = cut.split(3, 2);
  const buffer two = cut.split(3, 2);
  CHECK(one.text() == "one");
  CHECK(two.text() == "two");
  CHECK(two.data() == one.data() + 5);
  cut.skip(2);
  CHECK(cut.rest().text() == "ree");
  CHECK(cut.split(0).empty());
  buffer_slicer none;
  CHECK(none.rest().empty());
  CHECK(none.split(0).empty());
}

TEST_CASE("the memory is given back once, with the last slice or the slicer, whichever is later") {
  for (std::size_t slices : {0u, 1u, 63u, 64u, 65u, 128u, 200u}) {
    CAPTURE(slices);
    lender from;
    {
      buffer_slicer cut(from.lend());
      std::vector<buffer> kept;
      for (std::size_t i = 0; i < slices; ++i) kept.push_back(cut.split(1));
      kept.clear();
      CHECK(from.returned == 0);
    }
    CHECK(from.returned == 1);

    lender again;
    std::vector<buffer> kept;
    {
      buffer_slicer cut(again.lend());
      for (std::size_t i = 0; i < slices; ++i) kept.push_back(cut.split(1));
    }
    CHECK(again.returned == (slices == 0 ? 1 : 0));
    kept.clear();
    CHECK(again.returned == 1);
  }
}

TEST_CASE("a slicer takes its references along, and gives them back before it takes others") {
  lender first;
  lender second;
  buffer_slicer cut(first.lend());
  buffer slice = cut.split(10);
  buffer_slicer moved(std::move(cut));
  CHECK(moved.rest().size() == 390);
  slice.reset();
  CHECK(first.returned == 0);
  moved = buffer_slicer(second.lend());
  CHECK(first.returned == 1);
  moved.reset();
  CHECK(second.returned == 1);
  moved.reset();
  CHECK(second.returned == 1);
}
