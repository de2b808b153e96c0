// tests/model/model_history_test.cpp
// SPDX-License-Identifier: BSL-1.0
// What threads have seen of a primitive in each schedule of seeded scripts is what they could have
// seen one after the other.
#include <model/atomic.hpp>

#include <model/model_test.hpp>
#include <support/linearizable.hpp>
#include <support/seeds.hpp>
#include <support/specifications.hpp>

#include <penstock/base/random.hpp>
#include <penstock/sync/channel.hpp>
#include <penstock/sync/mutex.hpp>
#include <penstock/sync/semaphore.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace penstock;
using support::answer;
using support::lock_specification;
using support::permits_specification;
using support::queue_specification;

namespace {

// The operations of three threads on a World: thread 0 stops what waits, where the script says so.
template <class Operation>
struct script {
  struct call {
    Operation what;
    bool stopped = false;
  };
  std::array<std::vector<call>, 3> of;
};

template <class World, class Operation>
void each_schedule_is_explained(const std::string& name, const script<Operation>& s) {
  model::scenario what;
  what.make = [] { return std::make_shared<World>(); };
  for (std::size_t thread = 0; thread < s.of.size(); ++thread) {
    what.threads.push_back([&s, thread](void* w) {
      for (const auto& call : s.of[thread])
        static_cast<World*>(w)->perform(thread, call.what, call.stopped);
    });
  }
  what.check = [](void* w) {
    const std::string problem = static_cast<World*>(w)->refuted();
    model::expect(problem.empty(), problem.c_str());
  };
  model::proved(model::explore(name, {.pre_emptions = 2, .at_random = 200}, std::move(what)));
}

template <std::size_t Capacity>
struct channel_world {
  using verb = queue_specification::verb;
  std::array<model::loop, 3> loops;
  channel<int> c{Capacity};
  support::history<queue_specification> seen{3};

  void perform(std::size_t thread, const queue_specification::operation& o, bool stop) {
    const auto called = seen.now();
    seen.add(thread, called, o, outcome(loops[thread], o, stop));
  }
  queue_specification::result outcome(model::loop& on, const queue_specification::operation& o,
                                      bool stop) {
    switch (o.what) {
      case verb::send: {
        const auto got = stop ? stop_on(on, c.send(o.value)) : run_on(on, c.send(o.value));
        if (!got) return {answer::stopped};
        return {*got ? answer::done : answer::refused};
      }
      case verb::try_send:
        return {c.try_send(o.value) ? answer::done : answer::refused};
      case verb::receive: {
        auto got = stop ? stop_on(on, c.receive()) : run_on(on, c.receive());
        if (!got) return {answer::stopped};
        return received(*got);
      }
      case verb::try_receive:
        return received(c.try_receive());
      case verb::close:
        c.close();
    }
    return {answer::done};
  }
  template <class Got>
  static queue_specification::result received(const Got& got) {
    if (!got) return {answer::nothing};
    return {answer::value, *got};
  }
  std::string refuted() const {
    const auto all = seen.all();
    if (Capacity == 0 && !support::each_meets(all)) return "a send has ended before its receive";
    return support::refuted(queue_specification{Capacity}, all, {});
  }
};

script<queue_specification::operation> channel_script(std::uint64_t seed) {
  using verb = queue_specification::verb;
  random_engine random(seed);
  script<queue_specification::operation> s;
  int value = 0;
  for (std::size_t thread = 0; thread < 3; ++thread) {
    for (int i = 0; i < (thread == 2 ? 1 : 2); ++i) {
      auto what = static_cast<verb>(random.uniform_int(0, 3));
      if (thread == 2) what = random.uniform_int(0, 1) == 0 ? verb::try_send : verb::try_receive;
      s.of[thread].push_back({{what, ++value}, thread == 0 && random.uniform_int(0, 1) == 0});
    }
  }
  s.of[2].push_back({{verb::close}});  // ends every wait of the others
  return s;
}

MODEL_TEST("what is seen of a channel could have been seen in some order") {
  for (auto seed : support::seeds(3)) {
    CAPTURE(seed);
    const auto s = channel_script(seed);
    const auto text = std::to_string(seed);
    if (seed % 2 == 0)
      each_schedule_is_explained<channel_world<0>>("history of a channel of 0, seed " + text, s);
    else
      each_schedule_is_explained<channel_world<1>>("history of a channel of 1, seed " + text, s);
  }
}

struct permits_world {
  using verb = permits_specification::verb;
  std::array<model::loop, 3> loops;
  semaphore gate{1};
  support::history<permits_specification> seen{3};

  // A permit is released at once: that is an operation too.
  void perform(std::size_t thread, const permits_specification::operation& o, bool stop) {
    auto called = seen.now();
    if (o.what == verb::resize || o.what == verb::close) {
      if (o.what == verb::resize)
        gate.resize(static_cast<std::size_t>(o.n));
      else
        gate.close();
      return seen.add(thread, called, o, {answer::done});
    }
    std::optional<semaphore_permit> permit;
    answer is = answer::refused;
    if (o.what == verb::try_acquire) {
      permit = gate.try_acquire();
    } else {
      auto got =
          stop ? stop_on(loops[thread], gate.acquire()) : run_on(loops[thread], gate.acquire());
      if (!got) is = answer::stopped;
      if (got && *got) permit = std::move(**got);
    }
    seen.add(thread, called, o, {permit ? answer::done : is});
    if (!permit) return;
    called = seen.now();
    permit->release();
    seen.add(thread, called, {verb::release}, {answer::done});
  }
  std::string refuted() const {
    return support::refuted(permits_specification{},
                            support::without_excused(seen.all(), support::refused_try),
                            {.capacity = 1, .free = 1});
  }
};

script<permits_specification::operation> permits_script(std::uint64_t seed) {
  using verb = permits_specification::verb;
  random_engine random(seed);
  script<permits_specification::operation> s;
  for (std::size_t thread = 0; thread < 2; ++thread) {
    for (int i = 0; i < 2; ++i) {
      s.of[thread].push_back({{random.uniform_int(0, 2) == 0 ? verb::try_acquire : verb::acquire},
                              thread == 0 && random.uniform_int(0, 1) == 0});
    }
  }
  s.of[2].push_back({{random.uniform_int(0, 1) == 0 ? verb::resize : verb::acquire, 2}});
  if (random.uniform_int(0, 1) == 0) s.of[2].push_back({{verb::close}});
  return s;
}

MODEL_TEST("what is seen of a semaphore could have been seen in some order") {
  for (auto seed : support::seeds(4)) {
    CAPTURE(seed);
    each_schedule_is_explained<permits_world>(
        "history of a semaphore, seed " + std::to_string(seed), permits_script(seed));
  }
}

struct lock_world {
  using verb = lock_specification::verb;
  std::array<model::loop, 3> loops;
  mutex m;
  support::history<lock_specification> seen{3};

  void perform(std::size_t thread, const lock_specification::operation& o, bool stop) {
    auto called = seen.now();
    std::optional<mutex_lock> held;
    answer is = answer::refused;
    if (o.what == verb::try_lock) {
      held = m.try_lock();
    } else {
      held = stop ? stop_on(loops[thread], m.lock()) : run_on(loops[thread], m.lock());
      is = answer::stopped;
    }
    seen.add(thread, called, o, {held ? answer::done : is});
    if (!held) return;
    called = seen.now();
    held->unlock();
    seen.add(thread, called, {verb::unlock, o.who}, {answer::done});
  }
  std::string refuted() const {
    return support::refuted(lock_specification{},
                            support::without_excused(seen.all(), support::refused_try), {});
  }
};

MODEL_TEST("what is seen of a mutex could have been seen in some order") {
  using verb = lock_specification::verb;
  script<lock_specification::operation> s;
  s.of[0] = {{{verb::lock, 0}, true}};
  s.of[1] = {{{verb::lock, 1}}};
  s.of[2] = {{{verb::try_lock, 2}}, {{verb::lock, 2}}};
  each_schedule_is_explained<lock_world>("history of a mutex", s);
}

// Last in, first out; nobody waits.
struct lifo_world {
  using verb = queue_specification::verb;
  detail::spin_lock lock;
  std::vector<int> values;
  support::history<queue_specification> seen{2};

  void send(int value) {
    const auto called = seen.now();
    lock.lock();
    values.push_back(value);
    lock.unlock();
    seen.add(0, called, {verb::send, value}, {answer::done});
  }
  void receive() {
    const auto called = seen.now();
    queue_specification::result got{answer::nothing};
    lock.lock();
    if (!values.empty()) {
      got = {answer::value, values.back()};
      values.pop_back();
    }
    lock.unlock();
    seen.add(1, called, {verb::try_receive}, got);
  }
};

MODEL_TEST("the histories of a queue that is last in, first out are refused") {
  auto check = [](lifo_world& w) {
    const auto problem = support::refuted(queue_specification{2}, w.seen.all(), {});
    model::expect(problem.empty(), problem.c_str());
  };
  auto send = [](lifo_world& w) {
    w.send(1);
    w.send(2);
  };
  model::found(model::explore<lifo_world>("planted: last in, first out", {}, check, send,
                                          [](lifo_world& w) { w.receive(); }));
}

}  // namespace
