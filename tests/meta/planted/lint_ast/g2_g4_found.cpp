#include "coroutine.hpp"

task<int> g2(bool c, std::string s) {
  int l = co_await use(c ? tracked(1) : tracked(2));       // expect: G2
  tracked t = c ? co_await make() : tracked(2);            // expect: G2
  l += co_await use(c ? t : tracked(3));                   // expect: G2
  l += co_await use_text(c ? s + "a" : std::string("b"));  // expect: G2
  co_return l;
}
task<int> g4(std::shared_ptr<int> p, tracked t) {
  int l = co_await run([p] { return *p; });                     // expect: G4
  l += co_await run([t = std::move(t)] { return t.v; });        // expect: G4
  l += co_await use_function([=] { return *p; });               // expect: G4
  l += co_await [p]() -> task<int> { co_return *p; }();         // expect: G4
  l += co_await run([&] {                                       // the outer one is fine
    auto inner = [&]() -> task<int> {
      int k = co_await run([p] { return *p; });                 // expect: G4
      co_return k;
    };
    return 1;
  });
  co_return l;
}
