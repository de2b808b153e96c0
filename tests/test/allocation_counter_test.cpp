// tests/test/allocation_counter_test.cpp
// SPDX-License-Identifier: BSL-1.0
#include <penstock/test/allocation_counter.hpp>

#include <penstock/base/config.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <new>
#include <thread>

using penstock::test::allocation_counter;

TEST_CASE("allocation_counter counts the calls of operator new of this thread and of all") {
  CHECK(allocation_counter::available() == !(PENSTOCK_ASAN || PENSTOCK_TSAN));
  if (!allocation_counter::available()) return;
  // The functions: a compiler may leave out new-expressions.
  allocation_counter count;
  void* a = ::operator new(10);
  void* b = ::operator new(10);
  const auto made = count.allocations(), freed = count.deallocations(), all = count.total();
  ::operator delete(a);
  ::operator delete(b);
  const auto freed_then = count.deallocations();
  CHECK(made == 2);
  CHECK(freed == 0);
  CHECK(all == 2);
  CHECK(freed_then == 2);

  count.reset();
  std::thread([] { ::operator delete(::operator new(10)); }).join();
  const auto here = count.allocations();
  const auto everywhere = count.total();
  CHECK(everywhere == here + 1);
}

TEST_CASE("the replaced operators serve every form") {
  allocation_counter count;
  void* wide = ::operator new[](100, std::align_val_t(64));
  void* quiet = ::operator new(16, std::nothrow);
  void* empty = ::operator new(0);
  const auto made = count.allocations();
  CHECK(reinterpret_cast<std::uintptr_t>(wide) % 64 == 0);
  CHECK(quiet);
  CHECK(empty);
  ::operator delete[](wide, std::align_val_t(64));
  ::operator delete(quiet, std::nothrow);
  ::operator delete(empty);
  if (allocation_counter::available()) CHECK(made == 3);
#if !PENSTOCK_ASAN && !PENSTOCK_TSAN
  volatile std::size_t huge = static_cast<std::size_t>(-1) / 2;
  CHECK_THROWS_AS(static_cast<void>(::operator new(huge)), std::bad_alloc);
#endif
}
