task<> captures(int n, std::size_t size, tracked t, const char* text, T* where) {
  bool flag = true;
  auto count = 0;
  std::chrono::milliseconds pause = 3ms;
  std::span<std::byte> bytes = buffer;
  co_await run([n, size, flag, count, text, where, pause, bytes] { return n; });
  co_await run([&] { return t.v; });
  co_await run([&t, this, i = 0, up = &t, last = t.size()] { return t.v; });
  auto named = [t] { return t.v; };
  co_await run(named);
  co_await run(std::move(named));
  auto kept = run([t] { return t.v; });
  co_await std::move(kept);
  co_await std::invoke([&] { return run([t] { return t.v; }); });
  int first = numbers[n];
  auto outer = with_group([t](task_group& g) -> task<> { co_await g.start(job); });
  co_return run([t] { return t.v; });
  co_await run([t] { return t.v; });  // lint-ok: G4 tracked is trivially destructible here
}
