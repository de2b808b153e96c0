// The skeleton of a crawler: a frontier of what is to be visited, workers, at most so many requests
// to a host at a time, and an end when nothing is left to do. Run: crawler. Change first: workers,
// per_host; fetch, which talks to a small server in here.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/sync.hpp>

#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

constexpr int workers = 4;
constexpr std::size_t per_host = 2;
constexpr std::size_t most_pages = 1000;

using hosts = std::map<std::string, endpoint>;

// [fetch]
// "host/page" -> what it links to. The server closes the connection at the end of a page.
task<result<std::vector<std::string>>> fetch(const hosts& known, const std::string& url) {
  const auto slash = url.find('/');
  const auto host = known.find(url.substr(0, slash));
  if (host == known.end()) co_return fail(errc::not_found, "host of", url);
  auto server = co_await ok(tcp_stream::connect(host->second));
  const std::string request = url.substr(slash + 1) + '\n';
  co_await ok(server.write_all(std::as_bytes(std::span(request))));
  std::string text;
  std::array<std::byte, 512> piece;
  while (const std::size_t n = co_await ok(server.read_some(piece)))
    text.append(reinterpret_cast<const char*>(piece.data()), n);
  std::istringstream words(text);
  std::vector<std::string> links;
  for (std::string link; words >> link;) links.push_back(link);
  if (links.empty()) co_return fail(errc::not_found, "page", url);
  co_return links;
}
// [/fetch]

// [crawl]
// All of it on one loop: what it counts needs no lock.
class crawl {
 public:
  explicit crawl(const hosts& h) : hosts_(h) {}

  task<result<>> run(std::string first) {
    found(std::move(first));
    co_return co_await with_group([this](task_group& group) -> task<result<>> {
      for (int i = 0; i < workers; ++i) group.start(work());
      co_return {};
    });
  }
  std::set<std::string> seen;
  std::vector<std::string> problems;

 private:
  void found(std::string url) {
    if (seen.size() == most_pages || !seen.insert(url).second) return;
    ++pending_;
    (void)frontier_.send(std::move(url));  // never waits: workers put in more than they take out
  }
  task<result<>> work() {
    while (auto url = co_await frontier_.receive()) {
      auto& host = limits_.try_emplace(url->substr(0, url->find('/')), per_host).first->second;
      const auto permit = co_await ok(host.acquire());
      auto links = co_await with_timeout(5s, fetch(hosts_, *url));
      if (links)
        for (auto& link : *links) found(std::move(link));
      else
        problems.push_back(links.error().message());
      if (--pending_ == 0) frontier_.close();  // nobody can find another one
    }
    co_return {};
  }

  const hosts& hosts_;
  unbounded_channel<std::string> frontier_;
  std::map<std::string, semaphore> limits_;
  std::size_t pending_ = 0;  // in the frontier, or being visited
};
// [/crawl]

using site = std::map<std::string, std::string>;  // a page, and its links

task<> answer(tcp_stream peer, const site& pages) {
  std::array<std::byte, 64> piece;
  const auto n = co_await peer.read_some(piece);
  if (!n || *n == 0) co_return;
  const auto page = pages.find(std::string(reinterpret_cast<const char*>(piece.data()), *n - 1));
  if (page != pages.end()) (void)co_await peer.write_all(std::as_bytes(std::span(page->second)));
}
task<result<>> serve(tcp_listener& listener, const site& pages) {
  co_return co_await with_group([&](task_group& group) -> task<result<>> {
    for (;;) {
      auto peer = co_await ok(listener.accept());
      group.start(answer, std::move(peer), std::cref(pages));
    }
  });
}

task<result<>> demonstrate(tcp_listener& listener) {
  hosts known;
  known["a"] = co_await ok(listener.local_endpoint());
  crawl c(known);
  co_await ok(c.run("a/index"));
  for (const auto& url : c.seen) std::printf("%s\n", url.c_str());
  std::set<std::string> problems(c.problems.begin(), c.problems.end());
  for (const auto& p : problems) std::printf("problem: %s\n", p.c_str());
  co_return {};
}

task<result<>> both(tcp_listener& listener, const site& pages) {
  auto either = co_await when_any(demonstrate(listener), serve(listener, pages));
  co_return std::move(either.value);
}

int main() {
  const site pages = {{"index", "a/one a/two a/three"},
                      {"one", "a/two a/index"},
                      {"two", "a/three a/gone b/index"},
                      {"three", "a/one"}};
  auto listener = tcp_listener::bind(endpoint{"127.0.0.1", 0});
  if (!listener) return std::fprintf(stderr, "%s\n", listener.error().message().c_str()), 1;
  runtime rt;
  const auto outcome = rt.run(both(*listener, pages));
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// a/gone
// a/index
// a/one
// a/three
// a/two
// b/index
// problem: host of 'b/index': not found
// problem: page 'a/gone': not found
