// tests/model/model_channel_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <model/atomic.hpp>

#include <model/model_test.hpp>
#include <support/seeds.hpp>

#include <penstock/sync/channel.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace penstock;

namespace {

template <std::size_t Capacity>
std::string named(const char* what) {
  return "channel of " + std::to_string(Capacity) + ": " + what;
}

// What was accepted, and what was received, in the order in which the threads have seen it.
template <std::size_t Capacity>
struct world {
  model::loop one, two, three;
  channel<int> c{Capacity};
  std::vector<int> accepted, received;

  bool send(model::loop& on, int value) {
    auto answer = run_on(on, c.send(value));
    model::expect(answer.has_value(), "a send that nobody stops is not stopped");
    if (*answer) accepted.push_back(value);
    return answer->has_value();
  }
  // 0: the end.
  int receive(model::loop& on) {
    auto answer = run_on(on, c.receive());
    model::expect(answer.has_value(), "a receive that nobody stops is not stopped");
    return take(*answer);
  }
  template <class Answer>
  int take(Answer& answer) {
    if (!answer) return 0;
    received.push_back(*answer);
    return *answer;
  }
};

// Each value that was accepted was received once, or is still there; and no other.
auto nothing_lost = [](auto& w) {
  while (auto left = w.c.try_receive()) w.received.push_back(*left);
  std::sort(w.accepted.begin(), w.accepted.end());
  std::sort(w.received.begin(), w.received.end());
  model::expect(w.accepted == w.received, "what was accepted is received, once");
  model::expect(w.c.size() == 0, "nothing is left");
};

template <class World>
void send_one(World& w) {
  w.send(w.one, 1);
}
template <class World>
void receive_on_two(World& w) {
  w.receive(w.two);
}
template <class World>
void receive_on_three(World& w) {
  w.receive(w.three);
}
template <class World>
void close(World& w) {
  w.c.close();
}

template <std::size_t Capacity>
void each_value_arrives() {
  using w = world<Capacity>;
  model::proved(model::explore<w>(
      named<Capacity>("send, receive"), model::thorough, nothing_lost,
      [](w& s) { model::expect(s.send(s.one, 1), "it is accepted"); },
      [](w& s) { model::expect(s.receive(s.two) == 1, "it is received"); }));
  model::proved(model::explore<w>(
      named<Capacity>("two sends, two receives"), {.pre_emptions = 3}, nothing_lost,
      [](w& s) {
        s.send(s.one, 1);
        s.send(s.one, 2);
      },
      [](w& s) {
        model::expect(s.receive(s.two) == 1, "first sent, first received");
        model::expect(s.receive(s.two) == 2, "second sent, second received");
      }));
  model::proved(model::explore<w>(
      named<Capacity>("send, send, two receives"), {.pre_emptions = 2}, nothing_lost, send_one<w>,
      [](w& s) { s.send(s.two, 2); },
      [](w& s) {
        s.receive(s.three);
        s.receive(s.three);
      }));
}
MODEL_TEST("channel: each value arrives once, in order") {
  each_value_arrives<0>();
  each_value_arrives<1>();
}

template <std::size_t Capacity>
void a_stopped_receive_takes_nothing() {
  using w = world<Capacity>;
  auto stopped = [](w& s) {
    if (auto answer = stop_on(s.two, s.c.receive())) s.take(*answer);
  };
  model::proved(model::explore<w>(named<Capacity>("stopped receive, try_send"), model::thorough,
                                  nothing_lost, stopped, [](w& s) {
                                    if (s.c.try_send(1)) s.accepted.push_back(1);
                                  }));
  model::proved(model::explore<w>(
      named<Capacity>("stopped receive, receive, send"), {.pre_emptions = 2},
      [](w& s) {
        if (s.received.empty()) s.c.close();
        nothing_lost(s);
      },
      stopped,
      [](w& s) {
        // The value went to the other, perhaps: then this is the end.
        s.receive(s.three);
      },
      [](w& s) {
        s.send(s.one, 1);
        s.c.close();
      }));
}
MODEL_TEST("channel: a stopped receive takes nothing, or delivers") {
  a_stopped_receive_takes_nothing<0>();
  a_stopped_receive_takes_nothing<1>();
}

template <std::size_t Capacity>
void a_stopped_send_was_not_accepted() {
  struct full : world<Capacity> {
    full() {
      for (int i = 0; i < static_cast<int>(Capacity); ++i) {
        if (this->c.try_send(10 + i)) this->accepted.push_back(10 + i);
      }
    }
  };
  auto stopped = [](full& s) {
    const auto answer = stop_on(s.one, s.c.send(1));
    if (answer && *answer) s.accepted.push_back(1);
  };
  model::proved(model::explore<full>(named<Capacity>("stopped send, try_receive"), model::thorough,
                                     nothing_lost, stopped, [](full& s) {
                                       auto answer = s.c.try_receive();
                                       s.take(answer);
                                     }));
  model::proved(model::explore<full>(
      named<Capacity>("stopped send, send, two receives"), {.pre_emptions = 2}, nothing_lost,
      stopped,
      [](full& s) {
        s.send(s.two, 2);
        s.c.close();
      },
      [](full& s) {
        s.receive(s.three);
        s.receive(s.three);
      }));
}
MODEL_TEST("channel: a stopped send was not accepted, or is") {
  a_stopped_send_was_not_accepted<0>();
  a_stopped_send_was_not_accepted<1>();
}

template <std::size_t Capacity>
void close_ends_all() {
  using w = world<Capacity>;
  model::proved(model::explore<w>(named<Capacity>("receive, close"), model::thorough, nothing_lost,
                                  receive_on_two<w>, close<w>));
  model::proved(model::explore<w>(
      named<Capacity>("two sends, close"), model::thorough, nothing_lost,
      [](w& s) {
        s.send(s.one, 1);
        s.send(s.one, 2);
      },
      close<w>));
  model::proved(model::explore<w>(named<Capacity>("send, receive, close"), {.pre_emptions = 2},
                                  nothing_lost, send_one<w>, receive_on_two<w>, close<w>));
  model::proved(model::explore<w>(
      named<Capacity>("receive, receive, send and close"), {.pre_emptions = 2},
      [](w& s) {
        nothing_lost(s);
        model::expect(s.received.size() == 1, "one of them has it");
      },
      receive_on_two<w>, receive_on_three<w>,
      [](w& s) {
        s.send(s.one, 1);
        s.c.close();
      }));
}
MODEL_TEST("channel: close() reaches who waits and who is about to") {
  close_ends_all<0>();
  close_ends_all<1>();
}

MODEL_TEST("channel: one who waits for a place is in nobody's way") {
  struct reserved : world<1> {
    std::optional<channel<int>::slot> place = c.try_reserve();
    model::started<channel<int>::reserve_awaiter> parked{one, c.reserve()};
  };
  // It gets the place and gives it back, or is stopped; the value goes to the receiver.
  model::proved(model::explore<reserved>(
      "channel: parked reserve, send, release and receive", {.pre_emptions = 2}, nothing_lost,
      [](reserved& s) { s.parked.wait(); }, [](reserved& s) { s.send(s.two, 1); },
      [](reserved& s) {
        s.place.reset();
        model::expect(s.receive(s.three) == 1, "it is received");
      }));
  model::proved(model::explore<reserved>(
      "channel: stopped reserve, send, receive", {.pre_emptions = 2},
      [](reserved& s) {
        s.place.reset();
        nothing_lost(s);
      },
      [](reserved& s) {
        s.parked.stop();
        s.parked.wait();
      },
      [](reserved& s) { s.send(s.two, 1); },
      [](reserved& s) { model::expect(s.receive(s.three) == 1, "it is received"); }));
}

MODEL_TEST("channel: a sender in line is not passed") {
  struct line : world<1> {
    bool filled = c.try_send(1);
    model::started<channel<int>::send_awaiter> parked{one, c.send(2)};
    bool passed = false;
  };
  model::proved(model::explore<line>(
      "channel: parked send, try_send, receives", {.pre_emptions = 2},
      [](line& w) {
        if (w.passed) w.received.push_back(*w.c.try_receive());
        model::expect(w.received == (w.passed ? std::vector{1, 2, 3} : std::vector{1, 2}),
                      "values come in the order of their senders");
      },
      [](line& w) { model::expect(w.parked.wait().has_value(), "it is accepted"); },
      [](line& w) { w.passed = w.c.try_send(3); },
      [](line& w) {
        w.receive(w.two);
        w.receive(w.two);
      }));
}

}  // namespace
