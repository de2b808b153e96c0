// tests/io/read_from_test.cpp
// SPDX-License-Identifier: BSL-1.0

#include <penstock/io/write_to.hpp>

#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/stream.hpp>

#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace penstock;
using namespace std::chrono_literals;
using marbles::played;

namespace {
// A peer that sends what a text says: the end is an empty buffer.
class peer {
 public:
  explicit peer(std::string_view text) : sent_(text) {}
  task<result<buffer>> receive() {
    auto next = co_await ok(sent_.next());
    if (!next) co_return buffer();
    co_return *std::move(next);
  }

 private:
  marbles::buffers sent_;
};
std::string read(std::string_view what_comes, duration busy = 0ms) {
  peer from(what_comes);
  return played(read_from(from), busy);
}

// A listener whose connections have names of one letter; it is closed where the text ends.
class listener {
 public:
  explicit listener(std::string_view text) : coming_(text) {}
  task<result<char>> accept() {
    auto next = co_await ok(coming_.next());
    if (!next) co_return fail(errc::closed, "accept");
    co_return *next;
  }

 private:
  marbles::source coming_;
};
std::string accepted(std::string_view what_comes, duration busy = 0ms) {
  listener at(what_comes);
  return played(accept(at), busy);
}
}  // namespace

TEST_CASE("read_from() emits what is there, and ends with the peer") {
  CHECK(read("-[abc]--[de]-|") == "-[abc]--[de]-|");
  CHECK(read("--|") == "--|");
  CHECK(read("-[abc]-#") == "-[abc]-#");
  // A consumer that is busy receives nothing: what comes waits in the kernel.
  CHECK(read("[ab][cd]|", 3ms) == "[ab]--[cd]--|");
}
TEST_CASE("accept() emits connections as they come, and ends when the listener is closed") {
  CHECK(accepted("--a---b-|") == "--a---b-|");
  CHECK(accepted("|") == "|");
  CHECK(accepted("-a-#") == "-a-#");
  CHECK(accepted("abc|", 2ms) == "a-b-c-|");
}
