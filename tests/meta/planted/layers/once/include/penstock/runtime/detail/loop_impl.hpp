#include <penstock/runtime/loop.hpp>
PENSTOCK_ONCE void loop() {}
