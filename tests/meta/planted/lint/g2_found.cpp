task<> calls(bool c) {
  int l = co_await use(c ? tracked(1) : tracked(2));                   // expect: G2
  l += co_await use(c ? std::string("a") : std::string("b"));          // expect: G2
  tracked t = c ? co_await make(1) : co_await make(2);                 // expect: G2
  l += co_await use(c ? t : tracked{2});                               // expect: G2
  co_await use(name(c ? fmt::format("{}", 1) : std::string{"none"}));  // expect: G2
  throw failure(co_await code(), c ? text(1) : text(2));               // expect: G2
  co_yield c ? tracked(1) : tracked(2);                                // expect: G2
}
