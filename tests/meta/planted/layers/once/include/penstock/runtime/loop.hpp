void loop();
#ifndef PENSTOCK_SEPARATE
#include <penstock/runtime/detail/loop_impl.hpp>
#endif
