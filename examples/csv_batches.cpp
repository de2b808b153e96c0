// Rows of a CSV file go to a service in batches, two at a time; rows that are no order are kept
// apart, with the reason.
// Run: csv_batches [FILE]; without one it makes a file of its own.
// Change first: the size of a batch, and deliver.
#include <penstock/core.hpp>
#include <penstock/io.hpp>
#include <penstock/runtime.hpp>
#include <penstock/stream.hpp>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

using namespace penstock;
using namespace std::chrono_literals;

struct order {
  std::string customer;
  int cents = 0;
};

static result<order> parse(const csv_row& row) {
  const std::string_view cents = row.find("cents").value_or("");
  order o{std::string(row.find("customer").value_or("")), 0};
  const auto [end, problem] = std::from_chars(cents.data(), cents.data() + cents.size(), o.cents);
  if (problem != std::errc() || end != cents.data() + cents.size())
    return fail(errc::corrupt, "order of " + o.customer, "cents is '" + std::string(cents) + "'");
  return o;
}

struct service {
  int batches = 0, orders = 0, cents = 0, at_once = 0, most_at_once = 0;

  task<result<>> deliver(std::vector<order> batch) {
    at_once += 1;
    most_at_once = at_once > most_at_once ? at_once : most_at_once;
    co_await sleep_for(5ms);  // a call over the network
    at_once -= 1;
    ++batches;
    orders += static_cast<int>(batch.size());
    for (const order& o : batch) cents += o.cents;
    co_return {};
  }
};

// [deliver]
static task<result<>> deliver_all(std::string path, service& s, std::vector<std::string>& dead) {
  auto in = co_await ok(file::open(std::move(path), open_mode::read));
  const csv_options options{.header = true};
  const auto keep_apart = [&](error e) -> result<std::optional<order>> {
    if (e != errc::corrupt) return fail(std::move(e));
    dead.push_back(e.message());
    return std::nullopt;
  };
  const auto deliver = [&](std::vector<order> batch) { return s.deliver(std::move(batch)); };
  co_return co_await (read_chunks(in, 65536) | csv_rows(options) | map(parse) |
                      recover(keep_apart) | chunk(100) | for_each_concurrent(2, deliver));
}
// [/deliver]

static task<result<>> make_file(std::string path) {
  const auto row = [n = -1]() mutable -> std::optional<std::string> {
    if (++n == 0) return "customer,cents\r\n";
    if (n > 1000) return std::nullopt;
    const std::string name = "\"Customer, " + std::to_string(n) + "\",";
    return name + (n % 400 == 0 ? "much" : std::to_string(n)) + "\r\n";
  };
  co_await ok(generate(row) | write_file(std::move(path)));
  co_return {};
}

static task<result<>> run(std::optional<std::string> given) {
  const std::string path = given.value_or("orders.csv");
  if (!given) co_await ok(make_file(path));
  service s;
  std::vector<std::string> dead;
  co_await ok(deliver_all(path, s, dead));
  std::printf("%d orders in %d batches, %d at once, %d cents\n", s.orders, s.batches,
              s.most_at_once, s.cents);
  for (const auto& why : dead) std::printf("%s\n", why.c_str());
  co_return {};
}

int main(int argc, char** argv) {
  runtime rt;
  auto outcome = rt.run(run(argc > 1 ? std::optional<std::string>(argv[1]) : std::nullopt));
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().message().c_str());
  return outcome ? 0 : 1;
}

// Output:
// 998 orders in 10 batches, 2 at once, 499300 cents
// order of Customer, 400 ...
// order of Customer, 800 ...
