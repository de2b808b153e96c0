// Who waits for whom: a source, two stages and a sink of different speeds, and what each place of
// the pipeline has measured. The slowest stage sets the pace; nothing piles up in front of it.
// Run: backpressure. Change first: the times, or the concurrency of render.
#include <penstock/core.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream.hpp>

#include <cstdio>
#include <optional>

using namespace penstock;
using namespace std::chrono_literals;

static task<int> fetch(int page) {
  co_await sleep_for(2ms);
  co_return page;
}
static task<int> render(int page) {
  co_await sleep_for(40ms);
  co_return page;
}
static task<> show(int) { co_await sleep_for(4ms); }

// [observe]
struct places {
  stream_stats fetched, rendered;
};
static task<result<>> show_all(int pages, places& at) {
  const auto next = [n = 0, pages]() mutable {
    return n < pages ? std::optional(n++) : std::nullopt;
  };
  // At most 4 pages wait for render, and 2 are in it: fetch is held up, memory is not used up.
  co_return co_await (generate(next) | map(fetch) | observe(at.fetched) | buffered(4) |
                      map_concurrent(2, render) | observe(at.rendered) | for_each(show));
}
// [/observe]

static void tell(const char* place, const stream_stats& s) {
  const auto more = s.blocked_in > s.blocked_out ? "the source" : "the consumer";
  const auto share = [&](duration d) { return static_cast<int>(100 * d / s.elapsed); };
  std::printf("%s: %d items; it waits for %s (%d %% for items, %d %% for the consumer)\n", place,
              static_cast<int>(s.items), more, share(s.blocked_in), share(s.blocked_out));
}

int main() {
  runtime rt;
  places at;
  auto outcome = rt.run(show_all(40, at));
  if (!outcome) {
    std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
    return 1;
  }
  tell("behind fetch", at.fetched);
  tell("behind render", at.rendered);
}

// Output:
// behind fetch: 40 items; it waits for the consumer (...
// behind render: 40 items; it waits for the source (...
