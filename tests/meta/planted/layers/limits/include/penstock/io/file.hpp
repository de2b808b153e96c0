#include <penstock/cache/memory_cache.hpp>  // expect: direction
#include <penstock/pool/buffer_pool.hpp>
#include <penstock/runtime/loop.hpp>
#include <penstock/runtime/detail/wheel.hpp>  // expect: detail
#include <penstock/penstock.hpp>              // expect: direction
#include <penstock/nowhere/x.hpp>             // expect: direction
