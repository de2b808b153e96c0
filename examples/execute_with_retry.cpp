// A database transaction that is tried again when the database says that it may do better: what
// services often write by hand, with its sleep after the last attempt, the same delay for all, and
// a single statement repeated out of its transaction. Run: execute_with_retry. It runs under
// virtual time. Change first: the codes that are tried again; the budget.
#include <penstock/core.hpp>
#include <penstock/resilience.hpp>
#include <penstock/test.hpp>

#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

// What the database has said, attached to the error.
struct sql_state {
  std::array<char, 6> code{};
  explicit sql_state(std::string_view s) noexcept { s.copy(code.data(), 5); }
  [[nodiscard]] std::string_view text() const noexcept { return {code.data(), 5}; }
};

// [database]
// Answers with one state after the other; an empty one is success.
class database {
 public:
  explicit database(std::vector<std::string> states) : states_(std::move(states)) {}
  task<result<>> transfer() {
    const std::string state = states_[begun_++ % states_.size()];
    co_await sleep_for(5ms);
    if (state.empty()) co_return {};
    auto why = error(errc::protocol_error).with("transfer", state);
    co_return fail(std::move(why).attach(sql_state(state)));
  }
  [[nodiscard]] std::size_t begun() const { return begun_; }

 private:
  std::vector<std::string> states_;
  std::size_t begun_ = 0;
};
// [/database]

// [retryable]
// Serialization failures, deadlocks and lost connections: the whole transaction may succeed if it
// is done again.
bool is_worth_another(const error& e) {
  constexpr std::string_view codes[] = {"40001", "40P01", "08000", "08003", "08006"};
  const auto* const state = e.attached<sql_state>();
  if (!state) return is_transient(e);
  for (const std::string_view code : codes)
    if (state->text() == code) return true;
  return false;
}
// [/retryable]

task<> run(const char* title, std::vector<std::string> states, retry_budget budget) {
  database db(std::move(states));
  const auto begin = co_await this_task::now();
  // The transaction from its BEGIN to its COMMIT is the operation, not one statement of it.
  auto transaction = [&] { return db.transfer(); };
  // Up to 200 ms, then up to 400, at random, so that not all come back at once; none after the
  // last.
  const auto patient =
      retry({.attempts = 3, .backoff = exponential(200ms)}, budget, &is_worth_another) |
      attempt_timeout(2s);
  const auto done = co_await patient(idempotent(transaction));
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(co_await this_task::now() - begin);
  std::string outcome = "done";
  if (!done) outcome = done.error().message();
  std::printf("%s: %s, %zu attempts, %d ms\n", title, outcome.c_str(), db.begun(),
              static_cast<int>(took.count()));
}

task<> all() {
  // All transactions of the process: when the database is down one in five is repeated.
  const retry_budget budget({.ratio = 0.2, .min_per_second = 1, .window = 5s});
  const std::vector<std::string> deadlock{"40P01", ""}, lost{"08006", "08003", ""};
  const std::vector<std::string> wrong{"42601"}, down{"08006"};
  co_await run("a deadlock", deadlock, budget);
  co_await run("twice a lost connection", lost, budget);
  co_await run("a wrong statement", wrong, budget);
  for (int i = 0; i < 3; ++i) co_await run("down", down, budget);
}

int main() {
  test::test_runtime rt({.seed = 1});
  rt.run(all());
}

// Output:
// a deadlock: done, 2 attempts, 150 ms
// twice a lost connection: done, 3 attempts, 348 ms
// a wrong statement: transfer '42601': protocol error, not worth another attempt, 1 attempts, 5 ms
// down: transfer '08006': protocol error, no attempts left, 3 attempts, 372 ms
// down: transfer '08006': protocol error, the retry budget is used up, 2 attempts, 38 ms
// down: transfer '08006': protocol error, the retry budget is used up, 1 attempts, 5 ms
