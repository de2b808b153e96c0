#include <penstock/core/task.hpp>  // expect: direction
