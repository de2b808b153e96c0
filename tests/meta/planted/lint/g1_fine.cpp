// Measured with g++ 12.2: all of these complete.
task<int> named() {
  auto value = co_await park{1};
  if (value) ++g;
  co_return g;
}
task<int> declared_before() {
  int one = 1;
  if (co_await park{one}) ++g;
  co_return g;
}
task<int> declared_after() {
  if (co_await park{1}) ++g;
  const std::vector<std::pair<int, int>> more(3);
  co_return g;
}
task<int> declared_inside() {
  if (co_await park{1}) {
    std::size_t more = 1;
    g += more;
  }
  co_return g;
}
task<int> in_condition() {
  if (int value = co_await park{1}) g += value;
  co_return g;
}
task<int> in_while() {
  while (auto value = co_await park{g < 1}) g += value;
  co_return g;
}
task<int> with_initialiser() {
  if (auto value = co_await park{1}; value) ++g;
  co_return g;
}
task<int> initialiser_and_condition() {
  switch (int value = 1; co_await park{value}) {
    case 1:
      ++g;
  }
  co_return g;
}
task<int> in_for() {
  for (int i = 0; co_await park{i < 1}; ++i) ++g;
  co_return g;
}
task<int> range_for() {
  for (int i : numbers) {
    if (co_await park{i}) break;
  }
  co_return g;
}
task<int> increment() {
  for (; g < 1; co_await park{1}) ++g;
  co_return g;
}
task<int> handler() {
  try {
    if (co_await park{1}) ++g;
  } catch (const std::exception& e) {
    g = 7;
  }
  co_return g;
}
task<int> alias() {
  using number = int;
  if (co_await park{1}) g += number(1);
  co_return g;
}
task<int> structured() {
  auto [a, b] = std::pair(1, 2);
  if (co_await park{a}) ++g;
  co_return g;
}
task<int> unused() {
  [[maybe_unused]] char keep = 0;
  if (co_await park{1}) ++g;
  co_return g;
}
task<int> local_type() {
  struct local {
    int a;
  };
  if (co_await park{1}) ++g;
  co_return g;
}
task<int> choice() {
  g += co_await park{1} ? 1 : 0;
  co_return g;
}
task<int> constant_condition() {
  if constexpr (sizeof(co_await_type) > 0) g += co_await park{1};
  co_return g;
}
task<int> lambdas() {
  co_return co_await [](int x) -> task<int> {
    if (co_await park{x}) co_return 1;
    co_return 0;
  }(1);
}
auto member = [&]() -> task<int> {
  for (;;) {
    if (co_await park{1}) co_return 1;
  }
};
TEST_CASE("a lambda in a test") {
  SUBCASE("one") {
    auto read = [&]() -> task<> {
      while (co_await users.get(1)) ++g;
    };
    CHECK(rt.run(read()) == 3);
  }
}
int no_coroutine() {
  if (co_awaits(1)) return 2;
  return 1;
}
