#include <penstock/base/result.hpp>
