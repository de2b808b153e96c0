// SPDX-License-Identifier: BSL-1.0
// compile.*: what including a header costs above the headers of others that it needs.
#include "../support/harness.hpp"

namespace {

bench::values parse(const char* side) {
  return bench::run_program({"/usr/bin/env", "python3", BENCH_SOURCE "/compile/parse.py", "side",
                             side, "penstock/core.hpp", "--cxx", BENCH_CXX},
                            {"seconds"});
}
bench::values baseline() { return parse("baseline"); }
bench::values subject() { return parse("subject"); }

const bench::add compile_core(
    {.metrics = {{"compile.core", "s", bench::judged::difference_at_most, {0.1}}},
     .baseline = baseline,
     .subject = subject,
     .place = bench::place::all_cpus});

}  // namespace
