#include <penstock/core/sleep.hpp>
