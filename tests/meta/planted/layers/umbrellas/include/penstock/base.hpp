// expect-at 0: umbrella
#include <penstock/base/clock.hpp>
