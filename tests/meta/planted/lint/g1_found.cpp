// Measured with g++ 12.2: none of these coroutines ever completes.
task<int> plain() {
  if (co_await park{1}) ++g;  // expect: G1
  co_return g;
}
task<int> negated() {
  if (!co_await park{0}) ++g;  // expect: G1
  co_return g;
}
task<int> compared(int with) {
  if (co_await park{1} == with) ++g;  // expect: G1
  co_return g;
}
task<int> second_operand() {
  if (g == 0 && co_await park{1}) ++g;  // expect: G1
  co_return g;
}
task<int> argument() {
  if (id(co_await park{1})) ++g;  // expect: G1
  co_return g;
}
task<int> in_while() {
  while (co_await park{g < 1}) ++g;  // expect: G1
  co_return g;
}
task<int> in_do() {
  do {
    ++g;
  } while (co_await park{g < 1});  // expect: G1
  co_return g;
}
task<int> in_switch() {
  switch (co_await park{1}) {  // expect: G1
    case 1:
      ++g;
  }
  co_return g;
}
task<int> in_for() {
  for (; co_await park{g < 1};) ++g;  // expect: G1
  co_return g;
}
task<int> assigned_in_for() {
  for (g = 0; co_await park{g < 1}; ++g) {  // expect: G1
  }
  co_return g;
}
task<int> inside_forever() {
  for (;;) {
    if (co_await park{1}) break;  // expect: G1
  }
  co_return g;
}
task<int> inside_while() {
  while (true) {
    if (co_await park{1}) break;  // expect: G1
  }
  co_return g;
}
task<int> inside_block() {
  {
    if (co_await park{1}) ++g;  // expect: G1
  }
  co_return g;
}
task<int> inside_try() {
  try {
    if (co_await park{1}) ++g;  // expect: G1
  } catch (...) {
  }
  co_return g;
}
task<int> inside_if() {
  if (g == 0) {
    if (co_await park{1}) ++g;  // expect: G1
  }
  co_return g;
}
task<int> else_if() {
  if (g == 1)
    g = 5;
  else if (co_await park{1})  // expect: G1
    ++g;
  co_return g;
}
task<int> only_an_assertion() {
  static_assert(true);
  if (co_await park{1}) ++g;  // expect: G1
  co_return g;
}
task<int> statements_before() {
  co_await park{1};
  tracked(3);
  if (co_await park{1}) ++g;  // expect: G1
  co_return g;
}
task<int> inside_constexpr() {
  if constexpr (true) {
    if (co_await park{1}) ++g;  // expect: G1
  }
  co_return g;
}
task<int> inside_case() {
  switch (g) {
    case 0:
      if (co_await park{1}) ++g;  // expect: G1
      break;
  }
  co_return g;
}
task<int> labelled() {
again:
  if (co_await park{g < 1}) {  // expect: G1
    ++g;
    goto again;
  }
  co_return g;
}
struct holder {
  template <class T>
    requires(sizeof(T) > 1) && some_concept<T>
  [[nodiscard]] auto member(T&& with) const noexcept -> task<result<>> {
    if (co_await std::move(with)) co_return {};  // expect: G1
    co_return fail(errc::closed);
  }
  explicit holder(int n) : value_{n}, other_(n) {}
  int value_;
  int other_ = 0;
};
template <class T>
task<> function_try(T t) try {
  while (co_await t) ++g;  // expect: G1
} catch (...) {
}
