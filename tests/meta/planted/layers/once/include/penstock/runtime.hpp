#include <penstock/runtime/loop.hpp>
#include <penstock/runtime/pool.hpp>
