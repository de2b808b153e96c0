#include "coroutine.hpp"

task<int> lists() {
  int l = co_await use_list({1, 2});               // expect: G5
  l += co_await use_vector({7});                   // expect: G5
  std::vector<int> v{co_await ready{}};            // expect: G5
  tracked a[2] = {tracked(co_await ready{}), 2};   // expect: G6
  co_return l + v[0] + a[0].v;
}
struct by_reference {
  ready r;
  ready& operator co_await() { return r; }         // expect: G7
};
ready& get();
task<int> references(by_reference b, ready r) {
  int l = co_await get();                          // expect: G7
  l += co_await b;                                 // expect: G7
  l += co_await std::move(r);                      // expect: G7
  co_return l;
}
