// penstock/core/task_group.hpp
// SPDX-License-Identifier: BSL-1.0
#pragma once

/// @file
/// A scope for any number of tasks: it ends when all of them have ended. The body gets the group
/// and starts children; `with_group` is what one awaits. For a fixed few use when_all.hpp.

#include <penstock/base/assert.hpp>
#include <penstock/core/detail/group_child.hpp>

#include <cstddef>
#include <exception>

namespace penstock {

/// What the first error or exception of a child, or of the body, does to the others.
enum class on_error : unsigned char {
  stop_siblings,  ///< stop all, wait for all, report the first
  keep_going,     ///< let the others end by themselves, then report the first
};

/// Options of `with_group`.
struct group_options {
  /// Children that run at once; more wait in `co_await group.start(...)`. 0: no limit.
  std::size_t max_running = 0;
  penstock::on_error on_error = penstock::on_error::stop_siblings;
  /// Makes the group a drain point: an outside stop ends the body at once, children get this long
  /// to finish, then are stopped, and `with_group` completes with success. Zero: no drain point.
  duration grace = duration::zero();
};
template <class Result = result<>>
[[nodiscard]] Result validate(const group_options& o);

/// Starts tasks that end before the scope does. Created by `with_group`; belongs to one loop.
///
/// **Shape.** open -> (a failure or a stop: stopping) -> the last child ended: closed.
/// **Errors.** the first error or exception of a child or of the body, by time, is what
/// `with_group` yields.
/// **Suspends.** `start`, which need not be awaited, only with `max_running`: while that many run.
/// **Cancellation.** a stop from outside reaches the body and all children; see
/// `group_options::grace`.
/// **Thread-safety.** `start` only on the group's loop; `request_stop` from any thread.
/// **Complexity.** starting and ending a child is O(1), without an atomic operation; a child costs
/// its frame, and one record more when it has a name, or was started as a callable with captures or
/// reference parameters.
/// **Lifetime.** what children capture by reference must be declared outside the body: the body's
/// parameters and closure survive its end, its locals do not.
class task_group : waiter, detail::hook {
 public:
  task_group() noexcept : link_("with_group") {}
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;

  /// Starts a task; it runs from the next turn on. With `max_running` the call must be awaited: it
  /// suspends while that many run, and a stop then destroys the task unstarted.
  template <class T>
  detail::started start(task<T> t) {
    return begin(*std::move(t).release(), *this);
  }
  /// Calls `fn(args...)` and starts the task that it returns. `fn` and `args` are decay-copied,
  /// passed as rvalues, and live until the child has ended (`std::ref` opts out). Strong guarantee:
  /// when a copy or the call throws, nothing was started.
  template <class Fn, class... Args>
  requires(sizeof...(Args) > 0 || detail::makes_task<Fn>) detail::started
      start(Fn&& fn, Args&&... args) {
    detail::check_closure<Fn>();
    using F = std::decay_t<Fn>;
    detail::check_references<F, std::decay_t<Args>...>();
    if constexpr (!detail::check_arguments<Fn, Args...>()) {
      return {};
    } else if constexpr (detail::self_contained<F, std::decay_t<Args>...>) {
      return start(std::invoke(fn, std::decay_t<Args>(std::forward<Args>(args))...));
    } else {
      using record = detail::child_record<F, std::decay_t<Args>...>;
      auto r =
          detail::make_record<record>(*this, std::forward<Fn>(fn), std::forward<Args>(args)...);
      auto t = r->call();
      waiter& up = *r;
      r.release();
      return begin(*std::move(t).release(), up);
    }
  }
  /// Starts a child that awaits `a`: `start(with_timeout(1s, work()))`.
  template <awaitable A>
  requires(!is_task_v<A>) detail::started start(A&& a) {
    return begin(detail::child_of(detail::awaiter_of(std::forward<A>(a))), *this);
  }
  /// Starts a child under a name: `start(named("reader", read_all()))`.
  template <class A>
  detail::started start(detail::named_awaiter<A>&& a) {
    auto r = detail::make_record<detail::named_record>(*this, a.name());
    auto& child = detail::child_of(std::move(a).take());
    return begin(child, *r.release());
  }
  /// Stops the body and all children. From another thread it is posted to the group's loop.
  void request_stop() noexcept;
  /// Whether the children were asked to stop.
  [[nodiscard]] bool stop_requested() const noexcept { return link_.own.stop_requested(); }
  /// Tasks that have been started and have not ended, the body among them. On the loop only.
  [[nodiscard]] std::size_t size() const noexcept { return untold + told_; }

 private:
  template <class>
  friend class detail::with_group_awaiter;
  friend class detail::child_record_base;
  friend class detail::start_awaiter;
  friend class detail::started;
  friend class detail::remote_stop;
  friend class detail::service_scope;

  // The owner of the group, told when the last child has ended.
  using finish_function = detail::step (*)(void* owner) noexcept;

  void open(waiter& up, const group_options& o, void* owner, finish_function finish) noexcept;
  detail::started begin(detail::promise_base& child, waiter& up) noexcept {
    child.parent = &up;
    child.env = up.env;
    if (!plain_) [[unlikely]]
      return begin_special(child);
    ++untold;
    env_.sched->post_here(child);
    return {};
  }
  detail::started begin_special(detail::promise_base& child) noexcept;
  bool take_slot(detail::promise_base& child) noexcept;
  // Gives up a child that was never run: its frame, and its record if it has one.
  void abandon(detail::promise_base& child) noexcept;

  // The end of a child: its outcome is noted, its frame destroyed.
  void note(const detail::promise_base& child) noexcept {
    if (child.state != detail::outcome::value) [[unlikely]]
      note_failure(child);
  }
  void note_failure(const detail::promise_base& child) noexcept;
  void log_failure(const detail::promise_base& child) const noexcept;
  void fail(std::exception_ptr e) noexcept;
  detail::step one_ended(bool limited = true) noexcept {
    if (options_.max_running != 0 && limited) [[unlikely]]
      slot_free();
    if (untold != 0)
      --untold;
    else if (--told_ == 0)
      return close();
    return {};
  }
  detail::step close() noexcept;
  void slot_free() noexcept;

  detail::step done(waiter&, waiter* child) noexcept override {
    note(static_cast<detail::promise_base&>(*child));
    detail::destroy_frame(*child);
    return one_ended();
  }
  detail::step stopped(waiter&, waiter* child) noexcept override {
    any_stopped_ = true;
    detail::destroy_frame(*child);
    return one_ended();
  }
  bool is_scope() const noexcept override { return true; }

  environment env_;
  detail::stop_link link_;
  group_options options_;
  std::size_t told_ = 1;     // unfinished tasks that are not among the untold: at first the body
  std::size_t running_ = 0;  // counted only with max_running
  bool plain_ = true;        // no max_running, and told_ is not 0
  bool any_stopped_ = false;
  bool failed_ = false;
  detail::intrusive_list<detail::start_awaiter> waiting_;  // for a slot, FIFO
  void* owner_ = nullptr;
  finish_function finish_ = nullptr;
  std::exception_ptr exception_;  // the first failure, one of the two
  error error_;
  detail::remote_stop remote_;
};

}  // namespace penstock

#include <penstock/core/detail/task_group_impl.hpp>
