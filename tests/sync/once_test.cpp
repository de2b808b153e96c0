// tests/sync/once_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/sync/once.hpp>

#include <penstock/core/ok.hpp>
#include <penstock/core/sleep.hpp>
#include <penstock/core/when_all.hpp>
#include <penstock/core/with_timeout.hpp>
#include <penstock/sync/event.hpp>
#include <penstock/test/cancel_matrix.hpp>
#include <support/penstock_test.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>

using namespace penstock;
using namespace std::chrono_literals;
using test::cancel_stage;

namespace {
struct settings {
  std::string name;
};
// [lazy]
task<result<settings>> read_settings() {
  co_await sleep_for(1ms);  // from a file
  co_return settings{"blue"};
}
task<result<std::string>> name_of(lazy<settings>& all) {
  const settings& s = *co_await ok(all.get());  // read when it is first needed
  co_return s.name;
}
// [/lazy]
// [once]
task<result<>> use(once& migrated, int& migrations) {
  auto migrate = [&]() -> task<result<>> {
    co_await sleep_for(1ms);
    ++migrations;
    co_return result<>{};
  };
  co_return co_await migrated.call(migrate);
}
// [/once]
}  // namespace

PENSTOCK_TEST("a lazy value is made once, while the others wait") {
  int made = 0;
  lazy<int> value{[&]() -> task<result<int>> {
    co_await sleep_for(1ms);
    co_return ++made;
  }};
  CHECK(value.get_if() == nullptr);
  auto [a, b, c] = co_await must(when_all(value.get(), value.get(), value.get()));
  CHECK(*a == 1);
  CHECK(a == b);
  CHECK(b == c);
  const auto before = rt.steps();
  CHECK(**co_await value.get() == 1);
  CHECK(rt.steps() == before);
  CHECK(*value.get_if() == 1);
  lazy<settings> all{read_settings};
  CHECK(co_await name_of(all) == "blue");
  CHECK(co_await name_of(all) == "blue");
}

PENSTOCK_TEST("who fails gets the error, and the next in line tries") {
  int tries = 0;
  local::lazy<int> value{[&]() -> task<result<int>> {
    const int mine = ++tries;
    co_await sleep_for(1ms);
    if (mine == 1) co_return fail(errc::overloaded);
    if (mine == 2) throw std::runtime_error("bad");
    co_return mine;
  }};
  int errors = 0, exceptions = 0, values = 0;
  auto asks = [&]() -> task<> {
    try {
      const auto v = co_await value.get();
      if (v) {
        CHECK(**v == 3);
        ++values;
      } else {
        CHECK(v.error() == errc::overloaded);
        ++errors;
      }
    } catch (const std::runtime_error&) {
      ++exceptions;
    }
  };
  co_await when_all(asks(), asks(), asks(), asks());
  CHECK(errors == 1);
  CHECK(exceptions == 1);
  CHECK(values == 2);
  CHECK(tries == 3);
}

PENSTOCK_TEST("a maker that is stopped leaves it to the next") {
  int begun = 0;
  lazy<int> value{[&]() -> task<result<int>> {
    ++begun;
    co_await sleep_for(5ms);
    co_return begun;
  }};
  auto impatient = [&]() -> task<> {
    const auto v = co_await with_timeout(2ms, value.get());
    CHECK(v.error() == errc::timed_out);
  };
  auto patient = [&]() -> task<> {
    co_await sleep_for(1ms);
    CHECK(**co_await value.get() == 2);
  };
  co_await when_all(impatient(), patient());
}

PENSTOCK_TEST("once is once, unless it fails") {
  once migrated;
  int migrations = 0;
  CHECK(co_await when_all(use(migrated, migrations), use(migrated, migrations)));
  CHECK(migrations == 1);
  CHECK(migrated.done());
  local::once other;
  auto fails = []() -> task<result<>> { co_return fail(errc::corrupt); };
  auto works = []() -> task<result<>> { co_return result<>{}; };
  CHECK((co_await other.call(fails)).error() == errc::corrupt);
  CHECK_FALSE(other.done());
  CHECK(co_await other.call(works));
  CHECK(co_await other.call(fails));
}

TEST_CASE("stopped at any moment a lazy value is there or can be made again") {
  struct fixture {
    std::unique_ptr<event> go = std::make_unique<event>();
    std::unique_ptr<int> made = std::make_unique<int>(0);
    std::unique_ptr<lazy<int>> value;
  };
  test::cancel_matrix(
      [] {
        fixture f;
        f.value = std::make_unique<lazy<int>>(
            [go = f.go.get(), made = f.made.get()]() -> task<result<int>> {
              co_await go->wait();
              co_return ++*made;
            });
        return f;
      },
      [](fixture& f) { return f.value->get(); }, [](fixture& f) { f.go->set(); },
      [](fixture& f, const auto& outcome, cancel_stage) -> std::string {
        if (outcome && !f.value->get_if()) return "it was given and is not there";
        if (*f.made > 1) return "it was made twice";
        return "";
      });
}

TEST_CASE("stopped at any moment a call is done or can be done again") {
  struct fixture {
    std::unique_ptr<event> go = std::make_unique<event>();
    std::unique_ptr<int> times = std::make_unique<int>(0);
    std::unique_ptr<once> flag = std::make_unique<once>();
    struct work {
      event* go;
      int* times;
      task<result<>> operator()() {
        co_await go->wait();
        ++*times;
        co_return result<>{};
      }
    };
    std::unique_ptr<work> fn = std::make_unique<work>(work{go.get(), times.get()});
  };
  test::cancel_matrix([] { return fixture{}; }, [](fixture& f) { return f.flag->call(*f.fn); },
                      [](fixture& f) { f.go->set(); },
                      [](fixture& f, const auto&, cancel_stage) -> std::string {
                        if (f.flag->done() != (*f.times == 1)) return "done, or not, is wrong";
                        return "";
                      });
}
