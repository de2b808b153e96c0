#include "coroutine.hpp"

task<int> lists(tracked t) {
  int l = co_await use_holder(holder{tracked(1)});        // expect: G3
  l += co_await use_holder({.t = tracked(1)});            // expect: G3
  l += co_await use_holder({tracked(1), 2});              // expect: G3
  l += co_await use_holder_reference({t, 2});             // expect: G3
  l += co_await use_holder(holder(tracked(1)));           // expect: G3
  l += co_await use_default(1);                           // expect: G3
  l += co_await ready{named{"x"}.n};                      // expect: G3
  holder h{tracked(co_await ready{}), 2};                 // expect: G3
  named n{std::string("x"), co_await ready{}};            // expect: G3
  co_return l + h.n + n.n;
}
template <class T>
task<int> in_template(T t) {
  int l = co_await use_holder(holder{t});                 // expect: G3
  co_return l;
}
task<int> instantiates() {
  int l = co_await in_template(tracked(1));
  co_return l;
}
task<holder> yields() {
  co_yield {tracked(1), 2};                               // expect: G3
  co_return holder{tracked(co_await ready{}), 2};         // expect: G3
}
