#include <penstock/sync/mutex.hpp>
