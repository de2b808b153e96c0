#include <penstock/runtime/runtime.hpp>
