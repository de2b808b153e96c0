// expect-at 0: cost
#include <penstock/core/task.hpp>
