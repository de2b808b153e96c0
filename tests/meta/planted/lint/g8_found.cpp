#define TRY(x)        \
  ({                  \
    auto value_ = (x); \
    *value_;          \
  })
#define PLAIN(x) (*(x))
task<> statements() {
  int v = TRY(co_await receive());        // expect: G8
  int w = ({
    auto got = co_await receive();
    *got;
  });
  v += PLAIN(co_await receive());
  auto got = co_await receive();
  v += TRY(got);
  v += co_await with_group({.max_running = 3}, [&](task_group& g) -> task<> {
    co_await g.start(job);
    co_return;
  });
  co_await use({.first = co_await receive(), .second = 2});
}
// expect-at 9: G8
