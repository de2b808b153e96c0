#include <penstock/runtime/loop.hpp>
