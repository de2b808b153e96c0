#include <penstock/io/file.hpp>
