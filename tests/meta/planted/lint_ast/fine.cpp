#include "coroutine.hpp"

task<int> choices(bool c, tracked x, tracked y) {
  int l = co_await use(c ? x : y);
  l += co_await use(c ? std::move(x) : std::move(y));
  l += co_await use_text(c ? "a" : "b");
  l += c ? co_await ready{} : co_await use(tracked(1));
  l += co_await ready{c ? tracked(1).v : 2};
  l += co_await run([&] { return (c ? tracked(1) : tracked(2)).v + holder{tracked(1)}.n; });
  co_return l;
}
task<int> lists(tracked t) {
  holder h{tracked(1), 2};
  int l = co_await use_holder(h);
  l += co_await use_holder(std::move(h));
  l += co_await use_plain({.a = 3});
  l += co_await use_plain(plain{co_await ready{}, 2});
  l += co_await use(tracked{1});
  plain p{co_await use(tracked(1)), 2};
  int a[2] = {co_await ready{}, 2};
  holder from = co_await make_holder();
  auto list = {1, 2};
  l += co_await use_list(list);
  std::vector<int> v{1, 2};
  for (int i : {1, 2}) l += co_await ready{i};
  auto made = [](int n) { return holder{tracked(n), n}; };
  l += co_await use_holder(made(co_await ready{}));
  co_return l + p.a + a[0] + from.n + v[0];
}
task<int> lambdas(tracked t, int n) {
  auto named = [t] { return t.v; };
  int l = co_await run(named);
  l += co_await run([&] { return t.v; });
  l += co_await run([n] { return n; });
  auto kept = run([t] { return t.v; });
  l += co_await std::move(kept);
  auto later = [t]() -> task<int> { co_return co_await ready{}; };
  l += co_await run([t] { return t.v; });  // lint-ok: G4 the waiver is what is tested here
  co_return l;
}
struct two {
  ready r;
  ready* p = &r;
};
task<int> awaiters(two t) {
  ready named;
  int l = co_await named;
  l += co_await t.r;
  l += co_await *t.p;
  task<int> other = use(tracked(1));
  l += co_await std::move(other);
  co_return l;
}
