#include <penstock/adapters/file/detail/names.hpp>
