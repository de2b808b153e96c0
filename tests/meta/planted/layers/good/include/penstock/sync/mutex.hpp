#include <penstock/core/task.hpp>

#include <fmt/core.h>
