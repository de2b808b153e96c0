// tests/model/model_limiter_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <model/atomic.hpp>

#include <model/model_test.hpp>
#include <support/seeds.hpp>

#include <penstock/resilience/detail/shared_gcra.hpp>

#include <mutex>

using namespace penstock;
using detail::quick_answer;

namespace {

// A burst of 2, and an era of the word is half a second: what is below jumps over many.
struct word_world {
  detail::shared_core<gcra_core> core{gcra_core({4'294'967'291, std::chrono::seconds(1)}, 2)};
  detail::spin_lock lock;
  detail::atomic<int> admitted{0};

  static time_point early() { return time_point(std::chrono::seconds(1)); }
  static time_point late() { return time_point(std::chrono::hours(1)); }

  word_world() {
    core.thaw(early());
    take(early(), 0);
  }
  bool take(time_point now, std::uint32_t cost) {
    const quick_answer quick = core.try_now(now, cost);
    bool is = quick == quick_answer::admitted;
    if (quick == quick_answer::unknown) {
      const std::scoped_lock in(lock);
      is = core.acquire(now, cost).admitted;
      core.thaw(now);
    }
    if (is) admitted.fetch_add(1);
    return is;
  }
};
auto take_early = [](word_world& w) { w.take(word_world::early(), 1); };
auto take_late = [](word_world& w) {
  model::expect(w.take(word_world::late(), 2), "an hour later the burst is there");
};
auto freeze = [](word_world& w) {
  const std::scoped_lock in(w.lock);
  w.core.freeze();
};

MODEL_TEST("a word of a GCRA: each permit is given once") {
  auto both_given = [](word_world& w) {
    model::expect(w.admitted.load() == 3, "the first of nothing, and the burst");
  };
  model::proved(model::explore<word_world>("gcra: three takes", {.pre_emptions = 4}, both_given,
                                           take_early, take_early, take_early));
  model::proved(model::explore<word_world>("gcra: two takes, frozen meanwhile", {.pre_emptions = 3},
                                           both_given, take_early, take_early, freeze));
}

MODEL_TEST("a word of a GCRA: who comes from an earlier era gives nothing back") {
  auto all_taken = [](word_world& w) {
    model::expect(w.core.available(word_world::late()) == 0, "the burst of the later time is used");
  };
  model::proved(model::explore<word_world>("gcra: an early and a late take", model::thorough,
                                           all_taken, take_early, take_late));
  model::proved(model::explore<word_world>("gcra: two early takes and a late one",
                                           {.pre_emptions = 3}, all_taken, take_early, take_early,
                                           take_late));
}

}  // namespace
