// tests/model/model_select_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <model/atomic.hpp>

#include <model/model_test.hpp>
#include <support/seeds.hpp>

#include <penstock/sync/channel.hpp>
#include <penstock/sync/select.hpp>

#include <optional>

using namespace penstock;

namespace {

template <std::size_t Capacity>
struct world {
  model::loop one, two, three;
  channel<int> a{Capacity}, b{Capacity};
  int sent_a = 0, sent_b = 0;  // how many were accepted
  int got_a = 0, got_b = 0;    // how many were received

  void count(std::size_t index) { ++(index == 0 ? got_a : got_b); }
  void select_on_one() {
    auto first = run_on(one, select(a.receive(), b.receive()));
    model::expect(first.has_value(), "nobody stops it");
    if (first->value) count(first->index);
  }
  void send_a(model::loop& on) {
    if (*run_on(on, a.send(1))) ++sent_a;
  }
  void send_b(model::loop& on) {
    if (*run_on(on, b.send(2))) ++sent_b;
  }
  void drain() {
    while (a.try_receive()) ++got_a;
    while (b.try_receive()) ++got_b;
    model::expect(got_a == sent_a && got_b == sent_b, "what was accepted was received, once");
  }
};
auto nothing_lost = [](auto& w) { w.drain(); };

MODEL_TEST("select: one is done, and no item of another channel is lost") {
  using w = world<1>;
  model::proved(model::explore<w>(
      "select: select, send a", model::thorough,
      [](w& s) {
        model::expect(s.got_a == 1, "it is received");
        s.drain();
      },
      [](w& s) { s.select_on_one(); }, [](w& s) { s.send_a(s.two); }));
  model::proved(model::explore<w>(
      "select: select, send a, send b", {.pre_emptions = 2},
      [](w& s) {
        model::expect(s.got_a + s.got_b == 1, "one of them");
        s.drain();
      },
      [](w& s) { s.select_on_one(); }, [](w& s) { s.send_a(s.two); },
      [](w& s) { s.send_b(s.three); }));
}

MODEL_TEST("select: at a rendezvous one sender is taken and the other waits on") {
  using w = world<0>;
  model::proved(model::explore<w>(
      "select: twice, send a, send b", {.pre_emptions = 2}, nothing_lost,
      [](w& s) {
        s.select_on_one();
        s.select_on_one();
      },
      [](w& s) { s.send_a(s.two); }, [](w& s) { s.send_b(s.three); }));
}

MODEL_TEST("select: one that is stopped has taken nothing, or delivers") {
  using w = world<1>;
  model::proved(model::explore<w>(
      "select: stopped select, send a", model::thorough, nothing_lost,
      [](w& s) {
        auto first = stop_on(s.one, select(s.a.receive(), s.b.receive()));
        if (first && first->value) s.count(first->index);
      },
      [](w& s) { s.send_a(s.two); }));
  model::proved(model::explore<w>(
      "select: stopped select, receive a, send a", {.pre_emptions = 2}, nothing_lost,
      [](w& s) {
        auto first = stop_on(s.one, select(s.a.receive(), s.b.receive()));
        if (first && first->value) s.count(first->index);
        s.a.close();
      },
      [](w& s) {
        if (*run_on(s.three, s.a.receive())) ++s.got_a;
      },
      [](w& s) {
        if (*run_on(s.two, s.a.send(1))) ++s.sent_a;
      }));
}

MODEL_TEST("select: close() of one channel ends it") {
  using w = world<1>;
  model::proved(model::explore<w>(
      "select: select, close a, send b", {.pre_emptions = 2}, nothing_lost,
      [](w& s) { s.select_on_one(); }, [](w& s) { s.a.close(); }, [](w& s) { s.send_b(s.two); }));
}

MODEL_TEST("select: two that select from one another's channels do not wait for ever") {
  struct crossed : world<0> {};
  model::proved(model::explore<crossed>(
      "select: receive a or send b, send a or receive b", model::thorough, nothing_lost,
      [](crossed& s) {
        auto r = run_on(s.one, select(s.a.receive(), s.b.send(2)));
        ++(r->index == 0 ? s.got_a : s.sent_b);
      },
      [](crossed& s) {
        auto r = run_on(s.two, select(s.a.send(1), s.b.receive()));
        ++(r->index == 0 ? s.sent_a : s.got_b);
      }));
}

}  // namespace
