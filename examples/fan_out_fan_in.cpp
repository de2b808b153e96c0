// Fan-out, fan-in: one question goes to several servers at once. All answers that come in time, in
// the order of the servers; or the first that comes, and the others are given up. Run:
// fan_out_fan_in. Change first: patience.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/sync.hpp>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

constexpr auto patience = 200ms;

// [ask]
task<result<std::string>> ask(endpoint where) {
  auto server = co_await ok(tcp_stream::connect(where));
  const std::string question = "price?\n";
  co_await ok(server.write_all(std::as_bytes(std::span(question))));
  std::array<std::byte, 64> piece;
  const std::size_t n = co_await ok(server.read_some(piece));
  if (n == 0) co_return fail(errc::protocol_error, "ask", "no answer");
  co_return std::string(reinterpret_cast<const char*>(piece.data()), n);
}
// [/ask]

// [all]
// What each has answered, in their order; who fails or is late does not hurt the others.
task<std::vector<result<std::string>>> ask_all(const std::vector<endpoint>& servers) {
  auto in_time = [](endpoint where) -> task<result<std::string>> {
    co_return co_await with_timeout(patience, ask(where));
  };
  std::vector<task<result<std::string>>> questions;
  for (const endpoint& s : servers) questions.push_back(in_time(s));
  co_return co_await when_all_settled(std::move(questions));
}
// [/all]

// [first]
// The first answer; no more than two servers are asked at a time.
task<result<std::string>> ask_until_one(const std::vector<endpoint>& servers) {
  semaphore at_once{2};
  channel<std::string> replies{servers.size()};
  auto one = [&](endpoint where) -> task<result<>> {
    const auto permit = co_await ok(at_once.acquire());
    auto reply = co_await with_timeout(patience, ask(where));
    if (reply) co_await ok(replies.send(std::move(*reply)));
    co_return {};
  };
  auto each = [&](task_group& group) -> task<result<>> {
    for (const endpoint& s : servers) group.start(one(s));
    co_return {};
  };
  auto all = [&]() -> task<result<>> {
    co_await ok(with_group(each));
    replies.close(error(errc::exhausted).with("ask", "nobody answered"));
    co_return {};
  };
  auto first = [&](task_group& group) -> task<result<std::string>> {
    group.start(all());
    auto reply = co_await replies.receive();
    group.request_stop();  // the others are given up
    co_return reply;
  };
  co_return co_await with_group(first);
}
// [/first]

// A server that answers each question, or, without an answer, never.
task<result<>> serve(tcp_listener& listener, std::string answer) {
  auto session = [](tcp_stream peer, std::string reply) -> task<> {
    std::array<std::byte, 64> piece;
    auto asked = co_await peer.read_some(piece);
    if (asked && reply.empty()) co_await sleep_for(1h);
    if (asked) (void)co_await peer.write_all(std::as_bytes(std::span(reply)));
  };
  co_return co_await with_group([&](task_group& group) -> task<result<>> {
    for (;;) {
      auto peer = co_await ok(listener.accept());
      group.start(session, std::move(peer), answer);
    }
  });
}

task<result<>> demonstrate(std::vector<tcp_listener>& shops) {
  std::vector<endpoint> servers;
  for (auto& s : shops) servers.push_back(co_await ok(s.local_endpoint()));
  const auto answers = co_await ask_all(servers);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const std::string text = answers[i] ? *answers[i] : answers[i].error().message();
    std::printf("shop %zu: %s\n", i + 1, text.c_str());
  }
  const auto first = co_await ok(ask_until_one(servers));
  std::printf("one answer: %s\n", first.empty() ? "none" : "came");
  co_return {};
}

task<result<>> with_shops(std::vector<tcp_listener>& shops) {
  auto open = [&](task_group& group) -> task<result<>> {
    group.start(serve(shops[0], "12"));
    group.start(serve(shops[1], ""));
    group.start(serve(shops[2], "10"));
    const auto outcome = co_await demonstrate(shops);
    group.request_stop();
    co_return outcome;
  };
  co_return co_await with_group(open);
}

int main() {
  std::vector<tcp_listener> shops;
  for (int i = 0; i < 3; ++i) {
    auto listener = tcp_listener::bind(endpoint{"127.0.0.1", 0});
    if (!listener) return std::fprintf(stderr, "%s\n", listener.error().message().c_str()), 1;
    shops.push_back(std::move(*listener));
  }
  runtime rt;
  const auto outcome = rt.run(with_shops(shops));
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// shop 1: 12
// shop 2: with_timeout '200 ms': timed out
// shop 3: 10
// one answer: came
