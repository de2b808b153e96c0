// What the planted coroutines need: a task, awaiters, and types with and without a destructor.
#pragma once
#include <coroutine>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

template <class T>
struct task {
  struct promise_type {
    task get_return_object();
    std::suspend_always initial_suspend() noexcept;
    std::suspend_always final_suspend() noexcept;
    void return_value(T);
    std::suspend_always yield_value(T);
    void unhandled_exception();
  };
  struct awaiter {
    bool await_ready();
    void await_suspend(std::coroutine_handle<>);
    T await_resume();
  };
  task(task&&);
  ~task();
  awaiter operator co_await() &&;
};

struct ready {
  int v = 1;
  bool await_ready();
  void await_suspend(std::coroutine_handle<>);
  int await_resume();
};

struct tracked {
  tracked(int = 0);
  tracked(const tracked&);
  ~tracked();
  int v;
};
struct holder {  // an aggregate with a destructor
  tracked t;
  int n = 0;
};
struct named {  // the same, through a member of the standard library
  std::string name;
  int n = 0;
};
struct plain {  // an aggregate without one
  int a = 1;
  long b = 2;
};

task<int> use(tracked);
task<int> use_text(std::string);
task<int> use_holder(holder);
task<int> use_holder_reference(const holder&);
task<int> use_default(int, named options = {});
task<int> use_plain(plain, plain more = {});
task<int> use_list(std::initializer_list<int>);
task<int> use_vector(std::vector<int>);
task<int> use_function(std::function<int()>);
task<tracked> make();
task<holder> make_holder();
template <class F>
task<int> run(F f) {
  int result = f();
  co_return result;
}
