#include <penstock/runtime/driver/uring.hpp>
#include <penstock/sync/mutex.hpp>

#include <concurrentqueue/concurrentqueue.h>
#include <sys/eventfd.h>
