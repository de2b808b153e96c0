#include <fmt/format.h>       // expect: third-party
#include <tl/expected.hpp>    // expect: third-party
#include <liburing.h>         // expect: third-party
#include <asio/awaitable.hpp>  // expect: third-party
#include <boost/any.hpp>      // expect: third-party
#include "promise.hpp"        // expect: relative
#include <linux/futex.h>
