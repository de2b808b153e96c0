// tests/stream/sink_failure_test.cpp
// SPDX-License-Identifier: BSL-1.0
// Sinks in which each await in turn fails, throws, or is where a stop comes: they abort, one error
// is the outcome, and nothing is left. Files: io/write_file_faults_test.cpp.
#include <penstock/stream/detail/pipeline.hpp>

#include <penstock/core.hpp>
#include <penstock/io/write_to.hpp>
#include <penstock/stream.hpp>
#include <penstock/sync.hpp>
#include <penstock/test.hpp>
#include <stream/finishing_sink.hpp>
#include <stream/injector.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;
using support::ending;
using support::fail_each_await;
using support::fault;
using support::injector;
using support::stop_at_each_step;

namespace {
// Items that are a text, too: for sinks of bytes.
struct text_item {
  test::lifetime_tracked life;
  std::string text;
  [[nodiscard]] const char* data() const noexcept { return text.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return text.size(); }
};
// What all scenarios have: a source with awaits that works ahead, and items that are counted.
struct items {
  test::lifetime_log log;

  auto source(injector& i) {
    const auto next = [this, n = 0]() mutable -> std::optional<text_item> {
      if (n == 6) return std::nullopt;
      return text_item{test::lifetime_tracked(log, n++), "text"};
    };
    const auto pass = [&i](text_item t) -> task<result<text_item>> {
      co_await ok(i.point());
      co_return std::move(t);
    };
    return generate(next) | map(pass) | buffered(2);
  }
  static auto use(injector& i) {
    return [&i](text_item t) -> task<result<>> {
      co_await ok(i.point());
      co_await ok(i.point());
      co_return t.life.value() < 0 ? fail(errc::protocol_error) : result<>();
    };
  }
};
// Why a channel's receivers get no more.
task<error> end_of(channel<text_item>& c) {
  while (c.size() != 0) (void)co_await c.receive();
  CHECK(c.closed());
  const auto end = co_await c.receive();
  co_return end.error();
}
task<> check_end(channel<text_item>& c, const ending& e) {
  const error why = co_await end_of(c);
  if (e.whole)
    CHECK(why == errc::closed);
  else if (e.what == fault::error)
    CHECK(why == errc::corrupt);
  else
    CHECK(why == errc::canceled);
}

struct into_for_each_concurrent : items {
  task<result<>> run(injector& i) {
    const auto each = use(i);
    co_return co_await (source(i) | for_each_concurrent(3, each));
  }
  task<> look(const ending&) {
    CHECK(log.clean());
    co_return;
  }
};
// The receiver is slow, and its error closes the channel, also while a send waits.
struct into_channel : items {
  channel<text_item> out{1};
  bool sent = false;

  task<result<>> run(injector& i) {
    const auto send_all = [this, &i]() -> task<result<>> {
      co_await ok(source(i) | to_channel(out));
      sent = true;
      co_return {};
    };
    const auto receive_all = [this, &i]() -> task<result<>> {
      while (auto x = co_await out.receive()) {
        auto done = co_await i.point();
        if (done) continue;
        out.close(done.error());
        co_return done;
      }
      co_return {};
    };
    co_await ok(when_all(send_all(), receive_all()));
    co_return {};
  }
  task<> look(const ending& e) {
    const ending of_sink{.what = e.what, .whole = sent};
    co_await check_end(out, of_sink);
    CHECK(log.clean());
  }
};
struct into_tee : items {
  channel<text_item> out{20}, other{20};
  support::sink_log finishing;

  task<result<>> run(injector& i) {
    const auto each = use(i);
    const auto sum = [&i](int a, text_item) -> task<result<int>> {
      co_await ok(i.point());
      co_return a + 1;
    };
    const auto copied = [](text_item t) { return t; };
    co_await ok(source(i) | map(copied) |
                tee(for_each(each), to_channel(out), fold(0, sum), to_channel(other),
                    support::finishing_sink(finishing)));
    co_return {};
  }
  task<> look(const ending& e) {
    // A channel is closed at once at the end, and stays so when another sink's end goes wrong.
    const ending of_channels{.what = e.what, .whole = finishing.finishes != 0};
    co_await check_end(out, of_channels);
    co_await check_end(other, of_channels);
    CHECK(finishing.aborts == (e.whole ? 0 : 1));
    CHECK(finishing.aborted_by_error == (!e.whole && e.what == fault::error));
    CHECK(log.clean());
  }
};
// A connection whose operations are points.
struct connection {
  injector* i;
  task<result<std::size_t>> read_some(std::span<std::byte>) { co_return std::size_t{0}; }
  task<result<>> write_all(std::span<const std::byte> some) {
    for (std::byte b : some) {
      CHECK(b != std::byte{0});
      co_await ok(i->point());
    }
    co_return {};
  }
  task<result<>> shutdown(shutdown_side = shutdown_side::both) { return i->point(); }
  task<result<>> close() { co_return result<>(); }
};
struct into_connection : items {
  task<result<>> run(injector& i) {
    connection to{&i};
    const write_to_options end{.shutdown = true};
    const auto written = co_await ok(source(i) | write_to(to, end));
    CHECK(written == 6 * 4);
    co_return {};
  }
  task<> look(const ending&) {
    CHECK(log.clean());
    co_return;
  }
};
}  // namespace

TEST_CASE("for_each_concurrent(): each await goes wrong in turn, and all calls have ended") {
  CHECK(fail_each_await<into_for_each_concurrent>() == 3 * 6 * 3);
}
TEST_CASE("to_channel(): each await goes wrong in turn, and the channel's receivers are told") {
  CHECK(fail_each_await<into_channel>() == 3 * 6 * 2);
}
TEST_CASE("tee(): each await of its sinks goes wrong in turn, and all of them abort") {
  CHECK(fail_each_await<into_tee>() == 3 * 6 * 4);
}
TEST_CASE("write_to(): each await goes wrong in turn, the shutdown too, and no item is left") {
  CHECK(fail_each_await<into_connection>() == 3 * (6 * 5 + 1));
}
TEST_CASE("sinks that are stopped at any step abort and leave nothing") {
  CHECK(stop_at_each_step<into_for_each_concurrent>() > 15);
  CHECK(stop_at_each_step<into_channel>() > 15);
  CHECK(stop_at_each_step<into_tee>() > 15);
  CHECK(stop_at_each_step<into_connection>() > 15);
}
