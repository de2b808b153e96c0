#include <penstock/adapters/redis/detail/resp.hpp>  // expect: detail
#include <penstock/io/file.hpp>
