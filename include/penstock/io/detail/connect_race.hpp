// penstock/io/detail/connect_race.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a connection is made to the first of several addresses that answers.

#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/io/tcp_stream.hpp>
#include <penstock/sync/event.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace penstock::detail {

// The addresses in the order in which they are tried, and what became of them.
struct connect_race {
  connect_race(std::span<const endpoint> addresses, const connect_options& o)
      : options(o), errors(addresses.size()) {
    order.reserve(addresses.size());
    std::size_t next[2] = {0, 0};  // of each family
    bool v6 = !addresses.empty() && addresses.front().is_v6();
    const auto skip_others = [&](bool family) -> std::size_t& {
      std::size_t& i = next[family];
      while (i < addresses.size() && addresses[i].is_v6() != family) ++i;
      return i;
    };
    while (order.size() < addresses.size()) {
      std::size_t& i = skip_others(v6);
      if (i < addresses.size()) order.push_back(addresses[i++]);
      v6 = !v6;
    }
  }
  [[nodiscard]] bool over() const noexcept { return winner.is_open() || failed == order.size(); }
  // All have failed.
  error why() noexcept {
    error all = std::move(errors.back());
    for (std::size_t i = errors.size() - 1; i-- > 0;)
      all = std::move(errors[i]).caused_by(std::move(all));
    return all;
  }

  connect_options options;
  std::vector<endpoint> order;
  std::vector<error> errors;  // by place in the order
  std::size_t failed = 0;
  tcp_stream winner;
  event news;  // one has ended
};

inline task<> connect_one(connect_race& race, std::size_t i) {
  auto made = co_await tcp_stream::connect(race.order[i], race.options);
  if (!made) {
    race.errors[i] = std::move(made.error());
    ++race.failed;
  } else if (!race.winner.is_open()) {
    race.winner = std::move(*made);
  }
  race.news.set();
}

// Inline in any case: of a coroutine with a closure that is not, g++ 12 warns in a header.
inline task<result<tcp_stream>> connect_first(std::span<const endpoint> addresses,
                                              connect_options o) {
  if (auto valid = validate(o); !valid) co_return fail(std::move(valid.error()));
  if (addresses.empty()) co_return fail(errc::invalid_option, "connect", "no address");
  connect_race race(addresses, o);
  const auto body = [&race](task_group& group) -> task<> {
    std::size_t next = 0;
    while (!race.over()) {
      if (next < race.order.size()) group.start(connect_one(race, next++));
      race.news.reset();
      if (next < race.order.size()) {
        static_cast<void>(co_await with_timeout(race.options.stagger, race.news.wait()));
      } else {
        co_await race.news.wait();
      }
    }
    group.request_stop();
  };
  co_await with_group(body);
  if (race.winner.is_open()) co_return std::move(race.winner);
  co_return fail(race.why());
}

}  // namespace penstock::detail
