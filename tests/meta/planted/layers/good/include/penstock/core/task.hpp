#include <penstock/base/result.hpp>
#include <penstock/core/detail/promise.hpp>
