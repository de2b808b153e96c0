// tests/stream/stop_marbles.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a stop does to a stream, as text. As in marbles.hpp, and
///
///     ^     the source is asked for the first time
///     !     it is stopped while it waits

#include <stream/marbles.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace marbles {
namespace stops {
using namespace penstock;
using namespace std::chrono_literals;

// As played(), but each next() is stopped after so long, until it has an item.
template <class Stream>
std::string read_with_stops(Stream stream, duration each) {
  test::test_runtime rt;
  const auto body = [&]() -> task<std::string> {
    record seen;
    for (;;) {
      auto next = co_await with_timeout(each, stream.next());
      if (!next && next.error() == errc::timed_out) continue;
      const auto now = co_await this_task::now();
      std::string what = "#";
      if (next) what = *next ? shown(**next) : "|";
      seen.note(now, what);
      if (!next || !*next) co_return seen.text();
    }
  };
  return rt.run(body());
}
template <class Make>
bool loses_nothing(Make make) {
  const std::string whole = played(make());
  for (const duration each : {duration(700us), duration(1ms), duration(2ms)}) {
    const std::string in_parts = read_with_stops(make(), each);
    CHECK(in_parts == whole);
    if (in_parts != whole) return false;
  }
  return true;
}

template <class T>
class watched {
 public:
  watched(std::string_view text, record& seen, test::test_runtime& rt)
      : in_(text), seen_(&seen), rt_(&rt) {}
  task<result<std::optional<T>>> next() {
    if (!asked_) seen_->note(rt_->now(), "^");
    asked_ = true;
    bool over = false;
    const scope_exit unwound{[&] {
      if (!over) seen_->note(rt_->now(), "!");
    }};
    auto item = co_await in_.next();
    over = true;
    co_return item;
  }

 private:
  basic_source<T> in_;
  record* seen_;
  test::test_runtime* rt_;
  bool asked_ = false;
};
// What a source hears that says `text`, and whose pipeline is stopped after 3 ms.
template <class T = char, class Make>
std::string heard(std::string_view text, Make make) {
  record seen;
  test::test_runtime rt;
  const auto body = [&]() -> task<> {
    auto late = co_await with_timeout(3ms, make(watched<T>(text, seen, rt)));
    CHECK(late.error() == errc::timed_out);
  };
  rt.run(body());
  return seen.text();
}

}  // namespace stops
using stops::heard;
using stops::loses_nothing;
using stops::watched;

}  // namespace marbles
