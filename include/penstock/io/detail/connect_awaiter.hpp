// penstock/io/detail/connect_awaiter.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// How a TCP connection is made, to one address and to the first of several. Included by
/// tcp_stream.hpp only.

#include <penstock/core/with_group.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/io/tcp_stream.hpp>
#include <penstock/sync/event.hpp>

#include <vector>

namespace penstock {
namespace detail {

class connect_awaiter : public io_awaiter<connect_awaiter> {
 public:
  connect_awaiter(const endpoint& to, const connect_options& o) noexcept
      : io_awaiter(operation_kind::connect), to_(to), options_(o) {}
  connect_awaiter(const connect_awaiter& o) noexcept
      : io_awaiter(o), to_(o.to_), options_(o.options_) {}
  ~connect_awaiter() { settle(); }  // before the socket goes

  suspension start(waiter& w) noexcept {
    if (stop_requested(w)) [[unlikely]]
      return stopped_now(w);
    answer = open();
    if (answer < 0) [[unlikely]]
      return resume_now(w);
    fd = socket_.fd;
    offset = socket_.number;
    address = const_cast<::sockaddr*>(to_.data());
    length = to_.size();
    return launch(w);
  }
  [[nodiscard]] result<tcp_stream> await_resume() noexcept {
    if (answer < 0) return fail(why());
    socket_.peer = to_;
    return tcp_stream(std::move(socket_));
  }

 private:
  // 0, or the negative errno.
  int open() noexcept {
    invalid_ = !validate(options_);
    if (invalid_) return -EINVAL;
    socket_ = open_socket(::socket(to_.data()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket_.fd < 0) return -errno;
    const int r = set_early(
        socket_.fd, {options_.nodelay, options_.send_buffer_size, options_.receive_buffer_size});
    if (r < 0 || options_.local == endpoint()) return r;
    return ::bind(socket_.fd, options_.local.data(), options_.local.size()) == 0 ? 0 : -errno;
  }
  PENSTOCK_NOINLINE error why() const noexcept {
    if (invalid_) return validate(options_).error();
    const error e = answer == -ECANCELED ? error(errc::closed) : errno_error(-answer);
    try {
      return e.with("connect", to_.text());
    } catch (const std::bad_alloc&) {
      return e;
    }
  }

  endpoint to_;
  connect_options options_;
  bool invalid_ = false;
  open_socket socket_;
};

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

}  // namespace detail

inline detail::connect_awaiter tcp_stream::connect(const endpoint& to,
                                                   connect_options options) noexcept {
  return {to, options};
}
inline task<result<tcp_stream>> tcp_stream::connect(std::span<const endpoint> addresses,
                                                    connect_options options) {
  return detail::connect_first(addresses, options);
}

}  // namespace penstock
