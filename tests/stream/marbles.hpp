// tests/stream/marbles.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// Streams as text. One character is one frame of 1 ms:
///
///     -      nothing
///     a      the item a
///     [ab]   one item that is made of a and b
///     (ab)   a and b in one frame
///     |      the end
///     #      an error
///
/// Blanks count for nothing. marble_source plays such a text on the virtual clock, played() tells
/// what a pipeline makes of it, canonical() writes an expectation the same way.

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/test_runtime.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace marbles {

struct event {
  int frame;
  std::string what;
};

inline std::vector<event> parse(std::string_view text) {
  std::vector<event> all;
  int frame = 0;
  bool together = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') continue;
    if (c == '(' || c == ')') {
      together = c == '(';
      if (!together) ++frame;
      continue;
    }
    if (c == '[') {
      const auto end = text.find(']', i);
      all.push_back({frame, std::string(text.substr(i, end + 1 - i))});
      i = end;
    } else if (c != '-') {
      all.push_back({frame, std::string(1, c)});
    }
    if (!together) ++frame;
  }
  return all;
}

inline std::string format(const std::vector<event>& all) {
  std::string text;
  int frame = 0;
  for (std::size_t i = 0; i < all.size(); ++frame) {
    if (frame < all[i].frame) {
      text += '-';
      continue;
    }
    std::size_t n = 1;
    while (i + n < all.size() && all[i + n].frame == all[i].frame) ++n;
    if (n > 1) text += '(';
    for (std::size_t k = 0; k < n; ++k) text += all[i + k].what;
    if (n > 1) text += ')';
    i += n;
  }
  return text;
}
inline std::string canonical(std::string_view text) { return format(parse(text)); }

// A stream of char. Its clock begins with the first next(); who asks late gets at once what was
// due.
class source {
 public:
  explicit source(std::string_view text) : events_(parse(text)) {}
  penstock::task<penstock::result<std::optional<char>>> next() {
    const auto now = co_await penstock::this_task::now();
    if (!begin_) begin_ = now;
    if (at_ == events_.size()) {
      co_await penstock::sleep_until((penstock::time_point::max)());
    }
    const event e = events_[at_];
    const auto due = *begin_ + std::chrono::milliseconds(e.frame);
    if (due > now) co_await penstock::sleep_until(due);
    ++at_;
    if (e.what == "|") co_return std::optional<char>();
    if (e.what == "#") co_return penstock::fail(std::errc::connection_reset, "marble");
    co_return std::optional<char>(e.what[0]);
  }

 private:
  std::vector<event> events_;
  std::size_t at_ = 0;
  std::optional<penstock::time_point> begin_;
};

inline std::string shown(char c) { return std::string(1, c); }
inline std::string shown(int i) { return std::to_string(i); }
inline std::string shown(const std::vector<char>& v) {
  return "[" + std::string(v.begin(), v.end()) + "]";
}
template <class... T>
std::string shown(const std::tuple<T...>& t) {
  std::string text = "[";
  std::apply([&](const auto&... x) { ((text += shown(x)), ...); }, t);
  return text + "]";
}

// What a stream emits to a consumer that is busy for so long with each item.
template <class Stream>
std::string played(Stream stream, penstock::duration busy = penstock::duration::zero()) {
  std::vector<event> seen;
  penstock::test::test_runtime rt;
  auto body = [&]() -> penstock::task<> {
    const auto begin = co_await penstock::this_task::now();
    const auto note = [&](penstock::time_point now, std::string what) {
      using ms = std::chrono::duration<int, std::milli>;
      seen.push_back({std::chrono::duration_cast<ms>(now - begin).count(), std::move(what)});
    };
    auto take = [&](auto item) -> penstock::task<> {
      note(co_await penstock::this_task::now(), shown(item));
      if (busy != penstock::duration::zero()) co_await penstock::sleep_for(busy);
    };
    auto outcome = co_await (std::move(stream) | penstock::for_each(take));
    const auto end = co_await penstock::this_task::now();
    note(end, outcome ? "|" : "#");
  };
  rt.run(body());
  return format(seen);
}

}  // namespace marbles
