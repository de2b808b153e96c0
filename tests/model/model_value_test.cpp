// tests/model/model_value_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <model/atomic.hpp>

#include <model/model_test.hpp>
#include <support/seeds.hpp>

#include <penstock/sync/broadcast.hpp>
#include <penstock/sync/make_oneshot.hpp>
#include <penstock/sync/oneshot.hpp>
#include <penstock/sync/watch.hpp>

#include <optional>
#include <vector>

using namespace penstock;

namespace {

struct question {
  model::loop one;
  std::optional<oneshot<int>> answer{std::in_place};
  int got = 0;
  int sent = 0;

  void receive() {
    auto r = run_on(one, answer->receive());
    model::expect(r.has_value(), "nobody stops it");
    got = *r ? **r : -1;
  }
  void send(int value) {
    if (answer->send(value)) sent = value;
  }
};

MODEL_TEST("oneshot: an answer that meets a receive arrives") {
  model::proved(model::explore<question>(
      "oneshot: receive, send", model::thorough,
      [](question& w) { model::expect(w.got == 1, "it has the value"); },
      [](question& w) { w.receive(); }, [](question& w) { w.send(1); }));
  model::proved(model::explore<question>(
      "oneshot: receive, send, send", {.pre_emptions = 3},
      [](question& w) { model::expect(w.got == w.sent, "one of them answers, and knows it"); },
      [](question& w) { w.receive(); }, [](question& w) { w.send(1); },
      [](question& w) { w.send(2); }));
  model::proved(model::explore<question>(
      "oneshot: receive, send, close", {.pre_emptions = 3},
      [](question& w) {
        model::expect(w.got == (w.sent ? 1 : -1), "the value, or the end: as the sender was told");
      },
      [](question& w) { w.receive(); }, [](question& w) { w.send(1); },
      [](question& w) { w.answer->close(); }));
}

MODEL_TEST("oneshot: a receive that is stopped takes nothing, or delivers") {
  model::proved(model::explore<question>(
      "oneshot: stopped receive, send", model::thorough,
      [](question& w) {
        if (w.got == 0) w.receive();
        model::expect(w.got == 1, "it is there for another receive");
      },
      [](question& w) {
        auto r = stop_on(w.one, w.answer->receive());
        if (r) w.got = r->value();
      },
      [](question& w) { w.send(1); }));
}

MODEL_TEST("oneshot: who has received may destroy it while send() returns") {
  model::proved(model::explore<question>(
      "oneshot: receive and destroy, send", model::thorough,
      [](question& w) { model::expect(w.got == 1, "it has the value"); },
      [](question& w) {
        w.receive();
        w.answer.reset();
      },
      [](question& w) { static_cast<void>(w.answer->send(1)); }));
}

MODEL_TEST("make_oneshot: the last of its ends takes it away, whichever that is") {
  struct ends {
    model::loop one;
    oneshot_ends<int> both = make_oneshot<int>();
    std::optional<oneshot_sender<int>> sender{std::move(both.sender)};
    std::optional<oneshot_receiver<int>> receiver{std::move(both.receiver)};
    int got = 0;
  };
  auto receives = [](ends& w) {
    auto r = run_on(w.one, w.receiver->receive());
    w.got = *r ? **r : -1;
    w.receiver.reset();
  };
  model::proved(model::explore<ends>(
      "make_oneshot: receive, send", model::thorough,
      [](ends& w) { model::expect(w.got == 1, "it has the value"); }, receives,
      [](ends& w) {
        model::expect(w.sender->send(1), "it is wanted");
        w.sender.reset();
      }));
  model::proved(model::explore<ends>(
      "make_oneshot: receive, no answer", model::thorough,
      [](ends& w) { model::expect(w.got == -1, "it is told that there is none"); }, receives,
      [](ends& w) { w.sender.reset(); }));
  model::proved(model::explore<ends>(
      "make_oneshot: send, the receiver goes", model::thorough, [](ends&) {},
      [](ends& w) { w.receiver.reset(); },
      [](ends& w) {
        static_cast<void>(w.sender->send(1));
        w.sender.reset();
      }));
}

struct settings {
  model::loop one, two;
  watch<int> value{0};
  watch<int>::watcher first = value.subscribe(), second = value.subscribe();

  // Until it has seen `last`; each is newer than the one before.
  static void follow(model::loop& on, watch<int>::watcher& w, int last) {
    for (int seen = 0; seen != last;) {
      auto changed = run_on(on, w.changed());
      model::expect(changed && *changed, "it is told of the change");
      const int now = w.get();
      model::expect(now >= seen, "none is older than one before");
      seen = now;
    }
  }
};

MODEL_TEST("watch: everybody sees the last value, and none that is older than one before") {
  model::proved(model::explore<settings>(
      "watch: follow, set and set", model::thorough, [](settings&) {},
      [](settings& w) { settings::follow(w.one, w.first, 2); },
      [](settings& w) {
        w.value.set(1);
        w.value.set(2);
      }));
  model::proved(model::explore<settings>(
      "watch: follow, follow, set", {.pre_emptions = 3}, [](settings&) {},
      [](settings& w) { settings::follow(w.one, w.first, 1); },
      [](settings& w) { settings::follow(w.two, w.second, 1); },
      [](settings& w) { w.value.set(1); }));
}

MODEL_TEST("watch: a change is told before the end, and the end to all") {
  model::proved(model::explore<settings>(
      "watch: changed and changed, set and close", model::thorough, [](settings&) {},
      [](settings& w) {
        auto changed = run_on(w.one, w.first.changed());
        model::expect(changed->has_value(), "the change comes first");
        auto end = run_on(w.one, w.first.changed());
        model::expect(!end->has_value(), "then the end");
      },
      [](settings& w) {
        w.value.set(1);
        w.value.close();
      }));
}

MODEL_TEST("watch: a wait that is stopped leaves the change for the next") {
  model::proved(model::explore<settings>(
      "watch: stopped changed, set", model::thorough,
      [](settings& w) {
        model::expect(w.first.get() == 1, "the value is there");
        model::expect(!w.first.has_changed(), "seen");
      },
      [](settings& w) {
        const bool told = stop_on(w.one, w.first.changed()).has_value();
        if (!told) settings::follow(w.one, w.first, 1);
      },
      [](settings& w) { w.value.set(1); }));
}

struct news {
  model::loop one, two;
  broadcast<int> all{2};
  std::optional<broadcast<int>::receiver> first{all.subscribe()}, second{all.subscribe()};

  // Until the end: what it got, and 0 for what it was told to have missed.
  static std::vector<int> listen(model::loop& on, broadcast<int>::receiver& r) {
    std::vector<int> got;
    for (;;) {
      auto next = run_on(on, r.receive());
      if (*next)
        got.push_back(**next);
      else if (next->error() == errc::lagged)
        got.push_back(0);
      else
        return got;
    }
  }
};

MODEL_TEST("broadcast: every receiver gets every value, or is told how many it missed") {
  model::proved(model::explore<news>(
      "broadcast: receive, receive, send", {.pre_emptions = 3}, [](news&) {},
      [](news& w) {
        model::expect(**run_on(w.one, w.first->receive()) == 1, "the first has it");
        w.first.reset();
      },
      [](news& w) {
        model::expect(**run_on(w.two, w.second->receive()) == 1, "the second has it");
      },
      [](news& w) { static_cast<void>(w.all.send(1)); }));
  model::proved(model::explore<news>(
      "broadcast: listen, three sends and close", {.pre_emptions = 3, .enough = 5000}, [](news&) {},
      [](news& w) {
        const auto got = news::listen(w.one, *w.first);
        const bool all = got == std::vector{1, 2, 3};
        const bool lagged = got == std::vector{0, 2, 3} || got == std::vector{1, 0, 3};
        model::expect(all || (lagged && w.first->missed() == 1), "in order, and lags are told");
      },
      [](news& w) {
        for (int i = 1; i <= 3; ++i) static_cast<void>(w.all.send(i));
        w.all.close();
      }));
}

MODEL_TEST("broadcast: a receive that is stopped takes nothing, or delivers") {
  model::proved(model::explore<news>(
      "broadcast: stopped receive, send", model::thorough, [](news&) {},
      [](news& w) {
        auto got = stop_on(w.one, w.first->receive());
        if (!got) got = run_on(w.one, w.first->receive());
        model::expect(**got == 1, "the value is received once");
        model::expect(!w.first->has_value(), "and is not there again");
      },
      [](news& w) { static_cast<void>(w.all.send(1)); }));
}

}  // namespace
