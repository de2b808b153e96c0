// expect-at 0: once
#include <penstock/runtime/pool.hpp>
PENSTOCK_NOINLINE PENSTOCK_ONCE void pool() {}
