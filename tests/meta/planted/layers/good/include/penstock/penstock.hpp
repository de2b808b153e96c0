#include <penstock/base.hpp>
#include <penstock/core.hpp>
#include <penstock/sync.hpp>
