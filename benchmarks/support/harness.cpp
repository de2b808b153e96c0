// SPDX-License-Identifier: BSL-1.0
#include "harness.hpp"

#include "machine.hpp"
#include "report.hpp"

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <map>

namespace bench {
namespace {

// Many short runs tell more than few long ones on a machine whose speed changes every second.
struct pair_counts {
  std::size_t few, many;  // many: near the requirement, or where the pairs differ much
};
constexpr pair_counts pairs_of_calls{21, 45};
constexpr pair_counts pairs_of_programs{7, 15};
constexpr std::size_t most_pairs = 135;    // where they differ much near the requirement,
constexpr double most_seconds_of_one = 6;  // unless that takes longer

std::vector<figure>& figures() {
  static std::vector<figure> all;
  return all;
}
std::map<std::string, std::string>& settings() {
  static std::map<std::string, std::string> all;
  return all;
}

struct options {
  std::string prefix;
  std::string json;
  double wait = 60;
  std::size_t pairs = 0;  // 0: as many as it needs
  bool list = false;
  bool strict = false;
  bool compare = false;
  std::string side;  // for a fresh process: "baseline" or "subject" of the figure `prefix`
};

[[noreturn]] void usage(int status) {
  std::fputs(
      "usage: penstock-bench [NAME] [--json FILE] [--wait SECONDS] [--pairs N] [--list] "
      "[--strict]\n"
      "  NAME        the figures whose name begins so; default: all\n"
      "  --json      appends one object a line\n"
      "  --wait      how long to wait for a quiet machine, in all (60)\n"
      "  --pairs     exactly so many pairs of baseline and subject\n"
      "  --compare   the peers, beside penstock\n"
      "  --strict    exit status 1 when a requirement was missed\n",
      status ? stderr : stdout);
  std::exit(status);
}

options parse(int argc, char** argv) {
  options o;
  const auto value = [&](int& i) -> std::string {
    if (++i == argc) usage(2);
    return argv[i];
  };
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--json")
      o.json = value(i);
    else if (word == "--wait")
      o.wait = std::atof(value(i).c_str());
    else if (word == "--pairs")
      o.pairs = static_cast<std::size_t>(std::atol(value(i).c_str()));
    else if (word == "--list")
      o.list = true;
    else if (word == "--compare")
      o.compare = true;
    else if (word == "--strict")
      o.strict = true;
    else if (word == "--side")
      o.side = value(i);
    else if (word == "--help" || word == "-h")
      usage(0);
    else if (word == "--set") {
      const std::string pair = value(i);
      const auto equals = pair.find('=');
      if (equals == std::string::npos) usage(2);
      settings()[pair.substr(0, equals)] = pair.substr(equals + 1);
    } else if (word[0] == '-' || !o.prefix.empty())
      usage(2);
    else
      o.prefix = word;
  }
  return o;
}

// Measures one figure.
class measurement {
 public:
  measurement(const figure& f, const options& o, quiet_time& quiet)
      : figure_(f), options_(o), quiet_(quiet) {
    for (const auto& other : figures()) {
      if (other.metrics[0].name == f.versus) figure_.baseline = other.subject;
    }
    check(figure_.baseline != nullptr, "a figure without a baseline");
    for (const auto& m : f.metrics) {
      outcomes_.push_back({m, 0, {}, {}, false});
#ifdef __clang__
      outcomes_.back().limit = m.required.clang;
#else
      outcomes_.back().limit = m.required.gcc;
#endif
    }
  }

  std::vector<outcome> run() {
    if (figure_.place == place::all_cpus || figure_.place == place::two_cpus)
      use_all_cpus();
    else
      pin_to_one_cpu();
    bool noisy = !quiet_.wait();
    const double start = wall_seconds(), busy = machine_cpu_seconds(), own = own_cpu_seconds();
    if (figure_.place == place::one_cpu) {  // caches, free lists, lazily bound symbols
      figure_.baseline();
      figure_.subject();
    }
    const bool many = figure_.place == place::one_cpu || figure_.place == place::two_cpus;
    const pair_counts counts = many ? pairs_of_calls : pairs_of_programs;
    std::size_t wanted = options_.pairs ? options_.pairs : counts.few;
    std::size_t retries = 10 * counts.many;  // then disturbed pairs count
    for (std::size_t i = 0; i < wanted; ++i) {
      while (!pair(i % 2 == 1)) {
        if (--retries == 0) noisy = keep_disturbed_ = true;
      }
      if (i + 1 == wanted && !options_.pairs) wanted = more(counts, wanted, wall_seconds() - start);
    }
    const double others = machine_cpu_seconds() - busy - (own_cpu_seconds() - own);
    noisy |= others > 0.08 * (wall_seconds() - start) + 0.05;
    for (auto& o : outcomes_) o.noisy = noisy;
    return outcomes_;
  }

 private:
  // False: the cpu was taken away in between, and the pair does not count.
  bool pair(bool subject_first) {
    disturbed_ = false;
    values b{}, s{};
    if (subject_first) s = one(figure_.subject, "subject");
    b = one(figure_.baseline, "baseline");
    if (!subject_first) s = one(figure_.subject, "subject");
    if (disturbed_ && !keep_disturbed_) return false;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      outcomes_[i].baseline.push_back(b[i]);
      outcomes_[i].subject.push_back(s[i]);
    }
    return true;
  }

  values one(run_function f, const char* side) {
    if (figure_.place == place::fresh_process) {
      std::vector<std::string> names;
      for (const auto& m : figure_.metrics) names.push_back(m.name);
      return run_program(
          {program_folder() + "/penstock-bench", figure_.metrics[0].name, "--side", side}, names);
    }
    const double wall = wall_seconds(), cpu = thread_cpu_seconds();
    const values v = f();
    if (figure_.place == place::one_cpu) {
      disturbed_ |= thread_cpu_seconds() - cpu < 0.97 * (wall_seconds() - wall);
    }
    return v;
  }

  std::size_t more(const pair_counts& counts, std::size_t pairs, double seconds) const {
    bool near = false, wide = false;
    for (const auto& o : outcomes_) {
      near |= o.near();
      wide |= o.wide();
    }
    if (pairs == counts.few && (near || wide)) return counts.many;
    if (near && wide && pairs < most_pairs && seconds < most_seconds_of_one) return pairs + 3;
    return pairs;
  }

  figure figure_;
  const options& options_;
  quiet_time& quiet_;
  std::vector<outcome> outcomes_;
  bool disturbed_ = false;
  bool keep_disturbed_ = false;
};

// One side of a figure, for a fresh process.
int run_side(const figure& f, const std::string& side) {
  const run_function run_it = side == "baseline" ? f.baseline : f.subject;
  if (f.place == place::one_cpu) run_it();
  const values v = run_it();
  std::printf("RESULT");
  for (std::size_t i = 0; i < f.metrics.size(); ++i) {
    std::printf(" %s=%.9g", f.metrics[i].name.c_str(), v[i]);
  }
  std::printf("\n");
  return 0;
}

}  // namespace

add::add(figure f) { figures().push_back(std::move(f)); }

void check(bool correct, const char* what) {
  if (correct) return;
  std::fprintf(stderr, "penstock-bench: %s\n", what);
  std::exit(3);
}

std::string setting(const std::string& name, const std::string& otherwise) {
  const auto found = settings().find(name);
  return found == settings().end() ? otherwise : found->second;
}

int run(int argc, char** argv) {
  const options o = parse(argc, argv);
  if (!o.side.empty()) {
    for (const auto& f : figures()) {
      if (f.metrics[0].name == o.prefix) return run_side(f, o.side);
    }
    usage(2);
  }
  std::vector<const figure*> chosen;
  for (const auto& f : figures()) {
    if (o.compare != (*f.versus != 0)) continue;
    for (const auto& m : f.metrics) {
      const std::string name = o.compare ? f.versus : m.name;
      if (name.compare(0, o.prefix.size(), o.prefix) != 0) continue;
      chosen.push_back(&f);
      break;
    }
  }
  if (chosen.empty()) {
    std::fprintf(stderr, "penstock-bench: no figure begins with \"%s\"\n", o.prefix.c_str());
    return 2;
  }
  if (o.list) {
    for (const auto* f : chosen) {
      for (const auto& m : f->metrics) std::printf("%s\n", m.name.c_str());
    }
    return 0;
  }
  // A little ahead of others, where that is allowed.
  ::setpriority(PRIO_PROCESS, 0, -15);
  quiet_time quiet(o.wait);
  print_heading(o.compare);
  bool missed = false;
  for (const auto* f : chosen) {
    if (const char* why = f->missing ? f->missing() : nullptr) {
      std::printf("%-26s not measured: %s\n", f->metrics[0].name.c_str(), why);
      continue;
    }
    for (const auto& result : measurement(*f, o, quiet).run()) {
      print_row(result);
      missed |= !result.met();
      if (!o.json.empty()) append_json(o.json, result);
    }
  }
  return missed && o.strict ? 1 : 0;
}

}  // namespace bench
