task<> plain(bool c, int n, std::string s, std::string u, const char* p) {
  co_await sleep_for(c ? 1ms : 2ms);
  int l = co_await park{c ? 1 : 2};
  l += co_await use(c ? "a" : "b");
  l += co_await use(c ? s : u);
  l += co_await use(c ? std::move(s) : std::move(u));
  l += co_await use(c ? n : s.size());
  l += co_await use(c ? static_cast<int>(f()) : 2);
  l = c ? co_await park{1} : 0;
  const auto text = c ? std::string("a") : std::string("b");
  co_await use(text);
  co_await run([&] { return c ? std::string("a") : std::string("b"); });
  auto later = [&]() -> task<> { co_await use(text); };
  co_return c ? tracked(1) : tracked(2);
  l += co_await use(c ? tracked(1) : tracked(2));  // lint-ok: G2 tracked has a trivial destructor
}
