#include <penstock/core/task.hpp>
