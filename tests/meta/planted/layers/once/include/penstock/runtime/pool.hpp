void pool();
#include <penstock/runtime/detail/loop_impl.hpp>  // expect: once
#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/detail/pool_impl.hpp>
#endif
