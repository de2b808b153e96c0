// tests/base/buffer_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/buffer.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include <penstock/base/random.hpp>

#include "support/seeds.hpp"
#include "support/stopped.hpp"

namespace {

using penstock::buffer;
using penstock::buffer_owner;

static_assert(sizeof(buffer) == 24);
static_assert(std::is_nothrow_move_constructible_v<buffer> &&
              std::is_nothrow_move_assignable_v<buffer>);
static_assert(!std::is_copy_constructible_v<buffer>);
static_assert(std::is_convertible_v<const buffer&, std::span<const std::byte>>);
static_assert(!std::is_convertible_v<buffer&, std::span<std::byte>>);

TEST_CASE("a heap buffer has its size and alignment") {
  for (const std::size_t alignment : {1u, 8u, 16u, 64u, 512u, 4096u}) {
    for (const std::size_t size : {1u, 7u, 8u, 100u, 4096u, 65'537u}) {
      buffer b = buffer::allocate(size, alignment);
      CHECK(b.size() == size);
      CHECK(reinterpret_cast<std::uintptr_t>(b.data()) % alignment == 0);
      for (auto& x : b.mutable_bytes()) x = std::byte{0x5a};
    }
  }
  CHECK(buffer::allocate(0).empty());
  CHECK(buffer().empty());
  CHECK(buffer().bytes().empty());
}

TEST_CASE("slices share the memory, whoever goes first") {
  // [buffer]
  buffer message = buffer::copy_of("header:body");
  buffer header = message.split(6);  // the first six bytes; `message` keeps the rest
  message.remove_prefix(1);
  buffer bo = message.first(2);
  CHECK(header.text() == "header");
  CHECK(message.text() == "body");
  message.reset();  // the memory lives on with the other two
  CHECK(bo.text() == "bo");
  // [/buffer]
  buffer moved = std::move(header);
  CHECK(header.empty());
  CHECK(header.data() == nullptr);
  CHECK(moved.text() == "header");
  moved.mutable_bytes()[0] = std::byte{'H'};
  CHECK(moved.slice(0, 1).text() == "H");
  moved.truncate(2);
  CHECK(moved.text() == "He");
  auto& same = moved;
  moved = std::move(same);
  CHECK(moved.text() == "He");
  moved = std::move(bo);
  CHECK(moved.text() == "bo");
  CHECK(moved.slice(2, 0).empty());
}

TEST_CASE("a buffer is a span of constant bytes") {
  const buffer b = buffer::copy_of("abc");
  const std::span<const std::byte> s = b;
  CHECK(s.data() == b.data());
  CHECK(s.size() == 3);
  const std::vector<std::byte> from{std::byte{1}, std::byte{2}};
  CHECK(buffer::copy_of(from).size() == 2);
  CHECK(buffer::copy_of(std::string("xy")).text() == "xy");
  CHECK(buffer::copy_of("").empty());
}

TEST_CASE("the lender's function runs once, after the last slice") {
  std::vector<std::byte> memory(10);
  int returned = 0;
  {
    buffer whole = buffer::adopt(memory, [&] { ++returned; });
    buffer half = whole.first(5);
    whole.reset();
    whole.reset();
    CHECK(returned == 0);
    buffer last = std::move(half);
    half = buffer();
    CHECK(returned == 0);
  }
  CHECK(returned == 1);
}

// A pool of one block: what buffer pools and the kernel's rings do.
struct block final : buffer_owner {
  block() : buffer_owner([](buffer_owner* o) noexcept { ++static_cast<block*>(o)->back; }) {}
  std::byte memory[16] = {};
  int back = 0;
};

TEST_CASE("an owner's block is lent, comes back, and is lent again") {
  block b;
  for (int i = 1; i <= 3; ++i) {
    buffer lease = buffer::adopt(b.memory, b);
    buffer part = lease.slice(4, 4);
    lease.reset();
    CHECK(b.back == i - 1);
    part.reset();
    CHECK(b.back == i);
  }
}

TEST_CASE("slices may end on different threads") {
  for (int round = 0; round < 200; ++round) {
    std::vector<std::byte> memory(8);
    int returned = 0;
    buffer whole = buffer::adopt(memory, [&] { ++returned; });
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
      threads.emplace_back([part = whole.slice(2 * i, 2)]() mutable {
        part.mutable_bytes()[0] = std::byte{1};
        buffer smaller = part.first(1);
        part.reset();
      });
    }
    whole.reset();
    for (auto& t : threads) t.join();
    REQUIRE(returned == 1);
  }
}

TEST_CASE("ranges outside, bad alignments and lending twice assert") {
  buffer b = buffer::copy_of("abc");
  CHECK(support::stopped_with([&] { static_cast<void>(b.slice(1, 3)); }) ==
        "a slice outside of its buffer");
  CHECK(support::stopped_with([&] { static_cast<void>(b.slice(4, 0)); }) ==
        "a slice outside of its buffer");
  CHECK(support::stopped_with([&] { static_cast<void>(b.slice(1, SIZE_MAX)); }) ==
        "a slice outside of its buffer");
  CHECK(support::stopped_with([&] { b.remove_prefix(4); }) == "a prefix longer than its buffer");
  CHECK(support::stopped_with([&] { b.truncate(4); }) ==
        "a buffer cannot be truncated to more than it has");
  CHECK(support::stopped_with([&] { static_cast<void>(buffer::allocate(8, 3)); }) ==
        "the alignment of a buffer is a power of two");
  block twice;
  const buffer lease = buffer::adopt(twice.memory, twice);
  CHECK(support::stopped_with([&] { static_cast<void>(buffer::adopt(twice.memory, twice)); }) ==
        "the owner's last lease has not ended: slice it instead");
}

TEST_CASE("random slicing agrees with strings, and the memory comes back once") {
  for (const auto seed : support::seeds(50)) {
    CAPTURE(seed);
    penstock::random_engine random(seed);
    std::string text(200, ' ');
    for (auto& c : text) c = static_cast<char>('a' + random.uniform_int(0, 25));
    std::vector<char> memory(text.begin(), text.end());
    int returned = 0;
    std::vector<buffer> buffers;
    std::vector<std::string> models{text};
    buffers.push_back(
        buffer::adopt(std::as_writable_bytes(std::span(memory)), [&] { ++returned; }));
    for (int step = 0; step < 300 && !buffers.empty(); ++step) {
      const auto i = static_cast<std::size_t>(random.uniform_int(0, std::ssize(buffers) - 1));
      buffer& b = buffers[i];
      std::string& m = models[i];
      const auto a = static_cast<std::size_t>(random.uniform_int(0, std::ssize(m)));
      const auto n =
          static_cast<std::size_t>(random.uniform_int(0, std::ssize(m) - static_cast<long>(a)));
      switch (random.uniform_int(0, 5)) {
        case 0: {
          buffer made = b.slice(a, n);
          std::string said = m.substr(a, n);
          buffers.push_back(std::move(made));
          models.push_back(std::move(said));
          break;
        }
        case 1: {
          buffer made = b.split(a);
          std::string said = m.substr(0, a);
          m.erase(0, a);
          buffers.push_back(std::move(made));
          models.push_back(std::move(said));
          break;
        }
        case 2:
          b.truncate(a);
          m.resize(a);
          break;
        case 3:
          b.remove_prefix(a);
          m.erase(0, a);
          break;
        default:
          if (buffers.size() < 8) break;
          buffers[i] = std::move(buffers.back());
          models[i] = std::move(models.back());
          buffers.pop_back();
          models.pop_back();
      }
      for (std::size_t k = 0; k < buffers.size(); ++k) REQUIRE(buffers[k].text() == models[k]);
      REQUIRE(returned == 0);
    }
    buffers.clear();
    REQUIRE(returned == 1);
  }
}

}  // namespace
