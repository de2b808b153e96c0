#include <penstock/test/all.hpp>
