#include <penstock/pool/buffer_pool.hpp>  // expect: direction
#include <penstock/stream.hpp>            // expect: direction
#include <penstock/sync.hpp>
