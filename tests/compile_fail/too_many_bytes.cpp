// tests/compile_fail/too_many_bytes.cpp
// SPDX-License-Identifier: BSL-1.0

// A byte count that no std::size_t holds.
// expect-error: more_bytes_than_a_size_t_can_count
#include <penstock/base/literals.hpp>

using namespace penstock::literals;

#ifdef MUST_FAIL
constexpr std::size_t size = 16'777'216_TiB;
#else
constexpr std::size_t size = 16'777'215_TiB;
#endif
static_assert(size > 0);
