// penstock/core/detail/group_child.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// What a task_group keeps of a child that was started as a callable, and of one that waits for a
/// slot.

#include <penstock/base/intrusive_list.hpp>
#include <penstock/base/result.hpp>
#include <penstock/base/taken.hpp>
#include <penstock/core/detail/callable.hpp>
#include <penstock/core/detail/scope.hpp>

#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>

namespace penstock {
class task_group;

namespace detail {
template <class Body>
class with_group_awaiter;
class service_scope;
template <class A>
class named_awaiter;

// Stands between the group and a child that was started as a callable, and keeps what it was made
// of.
class child_record_base : public waiter, hook {
 public:
  explicit child_record_base(task_group& g) noexcept : group_(&g) { hooked = this; }
  virtual void destroy() noexcept = 0;

  // The child's environment is the group's, or one of its own.
  void link() noexcept;
  void link(environment& own, const char* name) noexcept;

 protected:
  ~child_record_base() = default;

 private:
  step done(waiter&, waiter* child) noexcept override;
  step stopped(waiter&, waiter* child) noexcept override;
  bool is_scope() const noexcept override { return true; }

  task_group* group_;
};

// In memory of the frame recycler.
template <class Record>
struct destroys_record {
  void operator()(Record* r) const noexcept { r->destroy(); }
};
template <class Record>
using record_pointer = std::unique_ptr<Record, destroys_record<Record>>;
template <class Record, class... A>
record_pointer<Record> make_record(A&&... args) {
  static_assert(alignof(Record) <= 16, "over-aligned arguments: put them on the heap");
  struct raw {
    void* p;
    ~raw() {
      if (p) frame_free(p, sizeof(Record));
    }
  } memory{frame_allocate(sizeof(Record))};
  record_pointer<Record> r(::new (memory.p) Record(std::forward<A>(args)...));
  memory.p = nullptr;
  return r;
}
template <class Record>
void destroy_record(Record* r) noexcept {
  std::destroy_at(r);
  frame_free(r, sizeof(Record));
}

template <class F, class... Args>
class child_record final : public child_record_base {
 public:
  template <class Fn, class... A>
  explicit child_record(task_group& g, Fn&& fn, A&&... args)
      : child_record_base(g), fn_(std::forward<Fn>(fn)), args_(std::forward<A>(args)...) {
    link();
  }
  auto call() {
    return std::apply([&](Args&... a) { return std::invoke(fn_, std::move(a)...); }, args_);
  }
  void destroy() noexcept override { destroy_record(this); }

 private:
  F fn_;
  std::tuple<Args...> args_;
};

// The environment of a child that has a name.
class named_record final : public child_record_base {
 public:
  named_record(task_group& g, const char* name) noexcept : child_record_base(g) {
    link(env_, name);
  }
  void destroy() noexcept override { destroy_record(this); }

 private:
  environment env_;
};

// A task that does no more than `aw` does.
template <class A>
task<resume_t<A>> task_of(A aw) {
  co_return co_await aw;
}
template <class T>
promise_base& child_of(task_awaiter<T>&& a) noexcept {
  return *std::move(a).release();
}
template <class A>
promise_base& child_of(A&& a) {
  return *task_of<std::remove_cvref_t<A>>(std::forward<A>(a)).release();
}

// A stop asked for by another thread, on its way to the loop. The scope stays until it has arrived.
class remote_stop final : waiter, hook {
 public:
  // Any thread, at most once effective.
  void request(scheduler& home, const environment& e, task_group& g) noexcept {
    if (posted_.exchange(true, std::memory_order_acq_rel)) return;
    group_ = &g;
    parent = nullptr;
    env = &e;
    hooked = this;
    home.post(*this);
  }
  // On the loop: the same, also when one has arrived before.
  void request_again(scheduler& home, const environment& e, task_group& g) noexcept {
    if (arrived_) posted_.store(false, std::memory_order_relaxed);
    arrived_ = false;
    request(home, e, g);
  }
  // On the loop, at the scope's end.
  [[nodiscard]] bool in_flight() const noexcept {
    return posted_.load(std::memory_order_acquire) && !arrived_;
  }

 private:
  step done(waiter&, waiter*) noexcept override;

  atomic<bool> posted_{false};
  bool arrived_ = false;
  task_group* group_ = nullptr;
};

// What group.start() returns: nothing to do without max_running, else to be awaited.
class start_awaiter;
class started {
 public:
  started() noexcept = default;
  started(task_group& g, promise_base& child) noexcept : group_(&g), child_(&child) {}
  started(started&& o) noexcept : group_(o.group_), child_(detail::taken(o.child_)) {}
  started& operator=(started&&) = delete;
  ~started();
  start_awaiter operator co_await() && noexcept;

 private:
  task_group* group_ = nullptr;
  promise_base* child_ = nullptr;  // not yet running
};

// Waits for a slot of a group with max_running. All on the group's loop.
class start_awaiter : public leaf<start_awaiter>, stop_node, public list_node {
 public:
  start_awaiter(task_group* g, promise_base* child) noexcept : group_(g), child_(child) {}
  start_awaiter(start_awaiter&& o) noexcept
      : leaf(), stop_node(), list_node(), group_(o.group_), child_(detail::taken(o.child_)) {}
  ~start_awaiter();
  bool await_ready() noexcept;
  suspension start(waiter& w) noexcept;
  void await_resume() noexcept {}

 private:
  friend task_group;
  void on_stop() noexcept override;
  wait_info info() const noexcept override { return {"task_group::start", group_, who_}; }

  task_group* group_;
  promise_base* child_;
  waiter* who_ = nullptr;
};
}  // namespace detail
}  // namespace penstock
