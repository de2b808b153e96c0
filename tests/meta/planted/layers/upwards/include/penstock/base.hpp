#include <penstock/base/clock.hpp>
