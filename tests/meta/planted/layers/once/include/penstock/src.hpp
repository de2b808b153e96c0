#include <penstock/runtime/detail/loop_impl.hpp>
#include <penstock/runtime/loop.hpp>  // expect: once
