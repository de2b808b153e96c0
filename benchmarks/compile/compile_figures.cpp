// SPDX-License-Identifier: BSL-1.0
// compile.*: what including a header costs, beside the headers of others that it needs; and a
// pipeline, beside the same one without |.
#include "../support/harness.hpp"

#include <string>
#include <vector>

namespace {

using bench::judged;

bench::values parse(const char* side, const std::vector<std::string>& what) {
  std::vector<std::string> command = {"/usr/bin/env", "python3", BENCH_SOURCE "/compile/parse.py",
                                      "side", side};
  command.insert(command.end(), what.begin(), what.end());
  command.insert(command.end(), {"--cxx", BENCH_CXX});
  return bench::run_program(command, {"seconds"});
}
const std::vector<std::string> core = {"penstock/core.hpp"};
const std::vector<std::string> net = {"penstock/runtime.hpp", "penstock/io.hpp", "--without",
                                      "asio"};

const bench::add compile_core(
    {.metrics = {{"compile.core", "s", judged::difference_at_most, {0.1}}},
     .baseline = [] { return parse("baseline", core); },
     .subject = [] { return parse("subject", core); },
     .place = bench::place::all_cpus});
const bench::add compile_net({.metrics = {{"compile.net", "s", judged::value_at_most, {1.5}}},
                              .baseline = [] { return parse("baseline", net); },
                              .subject = [] { return parse("subject", net); },
                              .place = bench::place::all_cpus});

// A pipeline of ten operators, beside the same as nested calls.
bench::values compile_ten(const std::vector<std::string>& more) {
  std::vector<std::string> command = {"/usr/bin/env", "python3", BENCH_SOURCE "/compile/parse.py",
                                      "file", BENCH_SOURCE "/compile/ten_stages.cpp"};
  command.insert(command.end(), more.begin(), more.end());
  command.insert(command.end(), {"--cxx", BENCH_CXX});
  return bench::run_program(command, {"seconds"});
}
const bench::add compile_ten_stages(
    {.metrics = {{"compile.ten_stages", "s", judged::ratio_at_most, {1.5}}},
     .baseline =
         [] {
           return compile_ten({"--define", "NESTED"});
         },
     .subject = [] { return compile_ten({}); },
     .place = bench::place::all_cpus});

}  // namespace
