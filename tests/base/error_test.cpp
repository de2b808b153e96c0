// tests/base/error_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/base/error.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include <penstock/base/random.hpp>

using namespace std::chrono_literals;

namespace {

using penstock::errc;
using penstock::errno_error;
using penstock::error;
using penstock::retry_stop;

static_assert(sizeof(error) == 24);
static_assert(std::is_nothrow_copy_constructible_v<error> &&
              std::is_nothrow_copy_assignable_v<error>);
static_assert(std::is_nothrow_move_constructible_v<error> &&
              std::is_nothrow_move_assignable_v<error>);
static_assert(std::is_nothrow_default_constructible_v<error>);
static_assert(std::is_convertible_v<errc, error> && std::is_convertible_v<std::errc, error> &&
              std::is_convertible_v<std::error_code, error>);
static_assert(!std::is_convertible_v<int, error>);

TEST_CASE("an error compares by code with everything that names a code") {
  CHECK(error(errc::closed) == errc::closed);
  CHECK(errc::closed == error(errc::closed));
  CHECK(error(errc::closed) != errc::timed_out);
  CHECK(error(errc::closed) == error(errc::closed).with("receive", "queue"));
  CHECK(error(std::errc::io_error) == std::errc::io_error);
  CHECK(error(errc::timed_out) == std::errc::timed_out);
  CHECK(error(std::errc::timed_out) != errc::timed_out);
  CHECK(error(std::make_error_code(std::errc::io_error)) ==
        std::make_error_code(std::errc::io_error));
  CHECK(error(errc::not_found) == std::make_error_condition(std::errc::no_such_file_or_directory));
  CHECK(errno_error(ENOENT) == std::errc::no_such_file_or_directory);
  CHECK(errno_error(EIO) == error(std::errc::io_error));
  CHECK(error().code() == std::error_code());
}

TEST_CASE("the message is one sentence that names operation and object") {
  // [error]
  error e = error(std::errc::no_such_file_or_directory).with("open", "/x/y");
  CHECK(e.message() == "open '/x/y': No such file or directory");
  CHECK(e == std::errc::no_such_file_or_directory);

  // Whoever passes it on says what this made fail.
  e = e.with("part 7").with("upload", "a.bin");
  CHECK(e.message() == "upload 'a.bin': part 7: open '/x/y': No such file or directory");
  // [/error]
  CHECK(e.operation() == "upload");
  CHECK(e.object() == "a.bin");
  CHECK(e.cause().operation() == "part 7");
  CHECK(e.cause().cause().object() == "/x/y");
  CHECK(e.cause().cause().cause().code().value() == 0);
}

TEST_CASE("a cause with another code is told after the code") {
  const error e = error(errc::exhausted)
                      .with("get", "pool")
                      .caused_by(error(std::errc::connection_refused).with("connect", "db:5432"));
  CHECK(e == errc::exhausted);
  CHECK(e.cause() == std::errc::connection_refused);
  CHECK(e.message() == "get 'pool': exhausted: connect 'db:5432': Connection refused");
  CHECK(error(errc::closed).message() == "closed");
  CHECK(error(errc::closed).with("").message() == "closed");
  CHECK(error(errc::closed).with("", "x").message() == "closed");
}

TEST_CASE("a second cause goes to the end of the chain") {
  const error e =
      error(errc::corrupt).with("read").with("load", "k").caused_by(std::errc::io_error);
  CHECK(e.message() == "load 'k': read: corrupt data: Input/output error");
}

TEST_CASE("the sentence stays one line") {
  CHECK(error(errc::not_found).with("open", "a\nb\x7f\tc").message() == "open 'a?b??c': not found");
}

TEST_CASE("a retry says why it gave up") {
  CHECK(error(errc::closed).why() == retry_stop::none);
  const error e = error(std::errc::connection_refused)
                      .with("put_part")
                      .stopped_because(retry_stop::attempts)
                      .with("upload", "a.bin");
  CHECK(e.why() == retry_stop::attempts);
  CHECK(e.message() == "upload 'a.bin': put_part: Connection refused, no attempts left");
  for (const auto why : {retry_stop::budget, retry_stop::deadline, retry_stop::non_retryable,
                         retry_stop::canceled, retry_stop::pushback}) {
    CHECK(error(errc::closed).stopped_because(why).why() == why);
    CHECK(error(errc::closed).stopped_because(why).message().starts_with("closed, "));
  }
}

TEST_CASE("what the refusing side wished survives being passed on") {
  CHECK(error(errc::closed).retry_after() == std::nullopt);
  const error e = error(errc::overloaded).retry_after(3s).with("call", "api").with("sync");
  CHECK(e.retry_after() == 3s);
  CHECK(e.message() == "sync: call 'api': overloaded");
  // but not past an error of another kind
  CHECK(error(errc::exhausted).caused_by(e).retry_after() == std::nullopt);
}

struct order {
  int delay = 0;
};

TEST_CASE("values of any type can be attached and are found by type") {
  auto tracked = std::make_shared<int>(7);
  {
    const error plain = error(errc::snoozed).attach(order{5});
    const error e = plain.attach(tracked).with("job", "42").attach(order{6});
    REQUIRE(plain.attached<order>());
    CHECK(plain.attached<order>()->delay == 5);
    CHECK(plain.attached<std::shared_ptr<int>>() == nullptr);
    REQUIRE(e.attached<order>());
    CHECK(e.attached<order>()->delay == 6);
    CHECK(**e.attached<std::shared_ptr<int>>() == 7);
    CHECK(e.with("handle").attached<order>()->delay == 6);
    CHECK(error(errc::closed).attached<order>() == nullptr);
  }
  CHECK(tracked.use_count() == 1);
}

TEST_CASE("a copy never sees what is said to the other") {
  const error e = error(errc::closed).with("a");
  error f = e;
  f = std::move(f).stopped_because(retry_stop::budget).retry_after(1s);
  CHECK(e.why() == retry_stop::none);
  CHECK(e.retry_after() == std::nullopt);
  CHECK(f.why() == retry_stop::budget);
  CHECK(f.operation() == "a");
  f = e;
  CHECK(f.why() == retry_stop::none);
  auto& same = f;
  f = same;
  CHECK(f.operation() == "a");
  f = std::move(same);
  CHECK(f.operation() == "a");
}

TEST_CASE("a hundred thousand causes are told and destroyed without recursion") {
  error e = errc::closed;
  for (int i = 0; i < 100'000; ++i) e = std::move(e).with("x");
  CHECK(e.message().size() == 3 * 100'000 + 6);
  CHECK(e.retry_after() == std::nullopt);
}

TEST_CASE("threads may share a detail") {
  const error shared = error(errc::closed).with("receive", "queue").attach(order{1});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([mine = shared] {
      for (int i = 0; i < 2000; ++i) {
        error copy = mine;
        error said = std::move(copy).stopped_because(retry_stop::deadline);
        if (said.operation() != "receive" || said.attached<order>()->delay != 1) std::abort();
      }
    });
  }
  for (auto& t : threads) t.join();
  CHECK(shared.why() == retry_stop::none);
}

TEST_CASE("random chains of saying, copying and moving agree with a plain model") {
  struct model {
    std::vector<std::string> names;
    retry_stop why = retry_stop::none;
  };
  penstock::random_engine random(11);
  std::vector<error> errors(8, error(errc::timed_out));
  std::vector<model> models(8);
  for (int step = 0; step < 5000; ++step) {
    const auto i = static_cast<std::size_t>(random.uniform_int(0, 7));
    const auto j = static_cast<std::size_t>(random.uniform_int(0, 7));
    switch (random.uniform_int(0, 4)) {
      case 0:
        if (models[i].names.size() > 6) break;
        models[i].names.insert(models[i].names.begin(), "op" + std::to_string(step));
        errors[i] = random.uniform_int(0, 1) ? errors[i].with(models[i].names[0])
                                             : std::move(errors[i]).with(models[i].names[0]);
        break;
      case 1:
        errors[i] = errors[j];
        models[i] = models[j];
        break;
      case 2:
        std::swap(errors[i], errors[j]);
        std::swap(models[i], models[j]);
        break;
      case 3:
        errors[i] = errors[i].stopped_because(retry_stop::budget);
        models[i].why = retry_stop::budget;
        break;
      case 4:
        errors[i] = errc::timed_out;
        models[i] = {};
        break;
    }
    std::string wanted;
    for (const auto& name : models[i].names) wanted += name + ": ";
    wanted += "timed out";
    if (models[i].why == retry_stop::budget) wanted += ", the retry budget is used up";
    REQUIRE(errors[i].message() == wanted);
  }
}

}  // namespace
