#include <penstock/runtime/driver/detail/liburing.hpp>
