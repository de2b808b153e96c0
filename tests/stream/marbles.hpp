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
/// Blanks count for nothing. source plays such a text on the virtual clock, buffers one whose items
/// are buffers of these bytes, a `/` among them being the end of a line. played() tells what a
/// pipeline makes of it, ended() when a sink has its result, canonical() writes an expectation the
/// same way.

#include <penstock/core.hpp>
#include <penstock/stream.hpp>
#include <penstock/test/test_runtime.hpp>

#include <algorithm>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
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

template <class T>
T made(std::string what) {
  if constexpr (std::is_same_v<T, char>) {
    return what[0];
  } else {
    if (what[0] == '[') what = what.substr(1, what.size() - 2);
    std::replace(what.begin(), what.end(), '/', '\n');
    return penstock::buffer::copy_of(what);
  }
}

// Its clock begins with the first next(); who asks late gets at once what was due.
template <class T>
class basic_source {
 public:
  explicit basic_source(std::string_view text) : events_(parse(text)) {}
  penstock::task<penstock::result<std::optional<T>>> next() {
    const auto now = co_await penstock::this_task::now();
    if (!begin_) begin_ = now;
    if (at_ == events_.size()) {
      co_await penstock::sleep_until((penstock::time_point::max)());
    }
    const event e = events_[at_];
    const auto due = *begin_ + std::chrono::milliseconds(e.frame);
    if (due > now) co_await penstock::sleep_until(due);
    ++at_;
    if (e.what == "|") co_return std::optional<T>();
    if (e.what == "#") co_return penstock::fail(std::errc::connection_reset, "marble");
    co_return std::optional<T>(made<T>(e.what));
  }

 private:
  std::vector<event> events_;
  std::size_t at_ = 0;
  std::optional<penstock::time_point> begin_;
};
using source = basic_source<char>;
using buffers = basic_source<penstock::buffer>;

inline std::string shown(std::monostate) { return {}; }
inline std::string shown(char c) { return std::string(1, c); }
template <std::integral T>
std::string shown(T i) {
  return std::to_string(i);
}
inline std::string shown(const std::string& s) { return s.size() == 1 ? s : "[" + s + "]"; }
inline std::string shown(const penstock::buffer& b) { return shown(std::string(b.text())); }
inline std::string shown(const std::vector<char>& v) {
  return "[" + std::string(v.begin(), v.end()) + "]";
}
template <class... T>
std::string shown(const std::tuple<T...>& t) {
  std::string text = "[";
  std::apply([&](const auto&... x) { ((text += shown(x)), ...); }, t);
  return text + "]";
}

// What happened, and in which frame of a runtime that was started for it.
class record {
 public:
  void note(penstock::time_point now, std::string what) {
    using ms = std::chrono::duration<int, std::milli>;
    const auto frame = std::chrono::duration_cast<ms>(now.time_since_epoch()).count();
    seen_.push_back({frame, std::move(what)});
  }
  [[nodiscard]] std::string text() const { return format(seen_); }

 private:
  std::vector<event> seen_;
};

// What a stream emits to a consumer that is busy for so long with each item.
template <class Stream>
penstock::task<std::string> play(Stream stream, penstock::duration busy) {
  record seen;
  auto take = [&](auto item) -> penstock::task<> {
    seen.note(co_await penstock::this_task::now(), shown(item));
    if (busy != penstock::duration::zero()) co_await penstock::sleep_for(busy);
  };
  auto outcome = co_await (std::move(stream) | penstock::for_each(take));
  const auto end = co_await penstock::this_task::now();
  seen.note(end, outcome ? "|" : "#");
  co_return seen.text();
}
template <class Stream>
std::string played(Stream stream, penstock::duration busy = penstock::duration::zero()) {
  penstock::test::test_runtime rt;
  return rt.run(play(std::move(stream), busy));
}

// When the pipeline that `make` returns is over, and what its result is: an item, or | for none.
template <class Make>
std::string ended(Make make) {
  penstock::test::test_runtime rt;
  auto body = [&]() -> penstock::task<std::string> {
    auto outcome = co_await make();
    const auto end = co_await penstock::this_task::now();
    std::string what = "#";
    if constexpr (requires { shown(*outcome); }) {
      if (outcome) what = shown(*outcome);
    } else if (outcome) {
      what = "|";
    }
    record seen;
    seen.note(end, what);
    co_return seen.text();
  };
  return rt.run(body());
}

}  // namespace marbles
