// SPDX-License-Identifier: BSL-1.0
// net.*: echo servers on one core, the load on another, over loopback. Baseline and subject are up
// at the same time and are visited in turn.
#include "../support/echo_load.hpp"
#include "../support/echo_race.hpp"
#include "../support/harness.hpp"
#include "../support/machine.hpp"
#include "../support/ring.hpp"

#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using bench::judged;
using bench::values;
using std::chrono::milliseconds;

using waiting = bench::echo_load::waiting;

struct program {
  std::string name;
  std::vector<std::string> arguments;
  waiting client = waiting::sleeping;
};
const program ring{"echo_uring", {"single", "plain"}};
const program epoll{"echo_epoll", {}};
const program asio{"echo_asio", {}};
const program some{"echo_penstock", {"some", "uring"}};
const program lease{"echo_penstock", {"lease", "uring"}};
const program reactor{"echo_penstock", {"some", "reactor"}};
// Look for work for up to 200 us before they sleep.
const program spinning{"echo_penstock", {"some", "uring", "200"}};
const program both_spinning{"echo_penstock", {"some", "uring", "200"}, waiting::spinning};
const program ring_both_spinning{"echo_uring", {"single", "plain", "200"}, waiting::spinning};

// Two servers and their load. They are started anew now and then: memory lies elsewhere.
class contest {
 public:
  contest(program baseline, program subject, std::size_t connections, std::size_t bytes)
      : programs_{std::move(baseline), std::move(subject)},
        connections_(connections),
        bytes_(bytes) {}

  ~contest() { end(); }
  contest(const contest&) = delete;
  contest& operator=(const contest&) = delete;

  values baseline() { return measure(0); }
  values subject() { return measure(1); }

 private:
  static constexpr int visits_of_a_start = 16;

  values measure(std::size_t i) {
    bench::pin_to_one_cpu();  // the servers have the first
    if (visits_++ % visits_of_a_start == 0) start();
    const values v = visit(i);
    bench::use_all_cpus();
    return v;
  }
  void start() {
    end();
    load_ = std::make_unique<bench::echo_load>(connections_, bytes_);
    for (const auto& p : programs_) {
      servers_.push_back(std::make_unique<bench::server>(p.name, p.arguments));
      load_->add(*servers_.back());
    }
    for (std::size_t i = 0; i < 2; ++i) visit(i);  // warms it up
  }
  void end() {
    load_.reset();
    for (auto& s : servers_) bench::note_child(-s->cpu_seconds());  // counted when it has ended
    servers_.clear();
  }
  values visit(std::size_t i) {
    const double before = servers_[i]->cpu_seconds();
    const auto v = load_->visit(i, milliseconds(150), milliseconds(50), programs_[i].client);
    bench::note_child(servers_[i]->cpu_seconds() - before);
    return {v.cpu_us, v.p50_us};
  }

  program programs_[2];
  std::size_t connections_, bytes_;
  std::vector<std::unique_ptr<bench::server>> servers_;
  std::unique_ptr<bench::echo_load> load_;
  int visits_ = 0;
};

// Of one figure at a time: the machine has two cores.
template <const program& Baseline, const program& Subject, std::size_t Connections,
          std::size_t Bytes>
contest& the_contest() {
  static contest one(Baseline, Subject, Connections, Bytes);
  return one;
}
template <const program& Baseline, const program& Subject, std::size_t Connections,
          std::size_t Bytes>
bench::figure echo(const char* name, double at_most) {
  return {
      .metrics = {{name, "us", judged::ratio_at_most, {at_most}},
                  {std::string(name) + ".p50", "us", judged::not_at_all}},
      .baseline = [] { return the_contest<Baseline, Subject, Connections, Bytes>().baseline(); },
      .subject = [] { return the_contest<Baseline, Subject, Connections, Bytes>().subject(); },
      .place = bench::place::two_cpus,
      .missing = bench::no_ring};  // the load needs one, too
}

const bench::add some50(echo<ring, some, 50, 64>("net.some.c50", 1 / 0.95));
const bench::add some1000(echo<ring, some, 1000, 64>("net.some.c1000", 1 / 0.95));
const bench::add lease50(echo<ring, lease, 50, 64>("net.lease.c50", 1 / 0.95));
const bench::add lease1000(echo<ring, lease, 1000, 64>("net.lease.c1000", 1 / 0.95));
const bench::add page1000(echo<ring, some, 1000, 4096>("net.some.4k", 1 / 0.93));
const bench::add reactor50(echo<epoll, reactor, 50, 64>("net.reactor.c50", 1 / 0.97));
const bench::add reactor1000(echo<epoll, reactor, 1000, 64>("net.reactor.c1000", 1 / 0.92));
const bench::add asio50(echo<asio, some, 50, 64>("net.asio.c50", 1 / 1.12));
const bench::add asio1000(echo<asio, some, 1000, 64>("net.asio.c1000", 1 / 1.25));
const bench::add asio_reactor50(echo<asio, reactor, 50, 64>("net.asio.reactor.c50", 1));
const bench::add asio_reactor1000(echo<asio, reactor, 1000, 64>("net.asio.reactor.c1000", 1));

// One connection: what is judged is the time of a round trip.
values time_first(const values& v) { return {v[1], v[0]}; }
template <const program& Baseline, const program& Subject>
bench::figure latency(const char* name, double at_most) {
  return {.metrics = {{name, "us", judged::ratio_at_most, {at_most}},
                      {std::string(name) + ".cpu", "us", judged::not_at_all}},
          .baseline = [] { return time_first(the_contest<Baseline, Subject, 1, 64>().baseline()); },
          .subject = [] { return time_first(the_contest<Baseline, Subject, 1, 64>().subject()); },
          .place = bench::place::two_cpus,
          .missing = bench::no_ring};
}
const bench::add spin_server(latency<some, spinning>("net.spin.server", 0.35));
const bench::add spin_both(latency<ring_both_spinning, both_spinning>("net.spin.both", 1.2));

// What a server does in user space for a round trip, with 50 connections: the same in every run.
template <const program& Program>
values steps() {
  const auto s = bench::steps_of_round_trip({"", Program.name, Program.arguments}, 50, 64);
  return {s.instructions, s.system_calls};
}
template <const program& Baseline, const program& Subject>
bench::figure counted(const std::string& name) {
  return {.metrics = {{name + ".instructions", "", judged::not_at_all},
                      {name + ".system_calls", "", judged::not_at_all}},
          .baseline = steps<Baseline>,
          .subject = steps<Subject>,
          .place = bench::place::all_cpus,
          .missing = bench::no_ring};
}
const bench::add some_counted(counted<ring, some>("net.some"));
const bench::add lease_counted(counted<ring, lease>("net.lease"));
const bench::add reactor_counted(counted<epoll, reactor>("net.reactor"));
const bench::add asio_counted(counted<asio, some>("net.asio"));

// Bytes that an idle connection costs in user space.
template <const program& Program>
values idle_memory() {
  constexpr std::size_t connections = 10'000;
  const bench::server s(Program.name, Program.arguments);
  const std::size_t before = s.resident_memory();
  bench::echo_load load(connections, 64);
  load.add(s);
  return {static_cast<double>(s.resident_memory() - before) / connections};
}
const bench::add idle({.metrics = {{"net.idle_connection", "B", judged::value_at_most, {1024}}},
                       .baseline = [] { return idle_memory<ring>(); },
                       .subject = [] { return idle_memory<lease>(); },
                       .place = bench::place::all_cpus,
                       .missing = bench::no_ring});

}  // namespace
