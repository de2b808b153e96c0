#include <tl/expected.hpp>

#include <system_error>
