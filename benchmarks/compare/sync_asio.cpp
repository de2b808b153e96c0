// SPDX-License-Identifier: BSL-1.0
// sync_asio channel|try THREADS PAIRS CAPACITY ITEMS: as sync_go, with Asio's concurrent channel on
// a thread pool, where any thread runs any of the coroutines. try: each operation tries first
// whether it can be done at once.
#include <asio.hpp>
#include <asio/experimental/concurrent_channel.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using asio::awaitable;
using asio::use_awaitable;
using channel = asio::experimental::concurrent_channel<void(asio::error_code, long)>;

awaitable<void> send(channel& c, long count, bool tries) {
  for (long i = 0; i < count; ++i) {
    const bool sent = tries && c.try_send(asio::error_code{}, i);
    if (!sent) co_await c.async_send(asio::error_code{}, i, use_awaitable);
  }
}
awaitable<void> receive(channel& c, long count, bool tries, std::atomic<long>& sum) {
  long mine = 0;
  for (long i = 0; i < count; ++i) {
    long item = 0;
    const bool received = tries && c.try_receive([&](asio::error_code, long v) { item = v; });
    if (!received) item = co_await c.async_receive(use_awaitable);
    mine += item;
  }
  sum += mine;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc == 6 ? argv[1] : "";
  if (how != "channel" && how != "try") {
    std::fputs("usage: sync_asio channel|try THREADS PAIRS CAPACITY ITEMS\n", stderr);
    return 2;
  }
  const auto threads = static_cast<std::size_t>(std::atol(argv[2]));
  const long pairs = std::atol(argv[3]);
  const auto capacity = static_cast<std::size_t>(std::atol(argv[4]));
  const long each = std::atol(argv[5]) / pairs;
  asio::thread_pool pool(threads);
  channel c(pool, capacity);
  std::atomic<long> sum{0};
  const auto start = std::chrono::steady_clock::now();
  for (long p = 0; p < pairs; ++p) {
    asio::co_spawn(pool, send(c, each, how == "try"), asio::detached);
    asio::co_spawn(pool, receive(c, each, how == "try", sum), asio::detached);
  }
  pool.join();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  if (sum != pairs * (each * (each - 1) / 2)) {
    std::fputs("sync_asio: the sum is wrong\n", stderr);
    return 1;
  }
  std::printf("RESULT ns=%.3f\n", took.count() / static_cast<double>(each * pairs));
}
