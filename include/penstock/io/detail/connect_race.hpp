// penstock/io/detail/connect_race.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a connection is made to the first of several addresses that answers.

#include <penstock/base/fixed_vector.hpp>
#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/io/tcp_stream.hpp>
#include <penstock/sync/event.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace penstock::detail {

struct connect_try {
  explicit connect_try(const endpoint& address) noexcept : to(address) {}
  endpoint to;
  error why;  // it failed
};

// The addresses in the order in which they are tried, and what became of them. Templates: who
// connects to one address does not pay for the race.
template <class Stream>
struct connect_race {
  connect_race(std::span<const endpoint> addresses, const connect_options& o)
      : options(o), tries(addresses.size()) {
    std::size_t next[2] = {0, 0};  // of each family
    bool v6 = !addresses.empty() && addresses.front().is_v6();
    const auto skip_others = [&](bool family) -> std::size_t& {
      std::size_t& i = next[family];
      while (i < addresses.size() && addresses[i].is_v6() != family) ++i;
      return i;
    };
    while (tries.size() < addresses.size()) {
      std::size_t& i = skip_others(v6);
      if (i < addresses.size()) tries.emplace_back(addresses[i++]);
      v6 = !v6;
    }
  }
  [[nodiscard]] bool over() const noexcept { return winner.is_open() || failed == tries.size(); }
  // All have failed.
  error why() noexcept {
    error all = std::move(tries[tries.size() - 1].why);
    for (std::size_t i = tries.size() - 1; i-- > 0;)
      all = std::move(tries[i].why).caused_by(std::move(all));
    return all;
  }

  connect_options options;
  fixed_vector<connect_try> tries;
  std::size_t failed = 0;
  Stream winner;
  event news;  // one has ended
};

template <class Stream>
task<> connect_one(connect_race<Stream>& race, connect_try& one) {
  auto made = co_await Stream::connect(one.to, race.options);
  if (!made) {
    one.why = std::move(made.error());
    ++race.failed;
  } else if (!race.winner.is_open()) {
    race.winner = std::move(*made);
  }
  race.news.set();
}

template <class Stream>
task<result<Stream>> connect_first(std::span<const endpoint> addresses, connect_options o) {
  if (auto valid = validate(o); !valid) co_return fail(std::move(valid.error()));
  if (addresses.empty()) co_return fail(errc::invalid_option, "connect", "no address");
  connect_race<Stream> race(addresses, o);
  const auto body = [&race](task_group& group) -> task<> {
    std::size_t next = 0;
    while (!race.over()) {
      if (next < race.tries.size()) group.start(connect_one(race, race.tries[next++]));
      race.news.reset();
      if (next < race.tries.size()) {
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

namespace penstock {
template <class Stream>
task<result<Stream>> tcp_stream::connect(std::span<const endpoint> addresses,
                                         connect_options options) {
  return detail::connect_first<Stream>(addresses, options);
}
}  // namespace penstock
